import { assert, describe, it } from "@effect/vitest"
import * as Tracing from "@troupe/domain/telemetry/Tracing"
import { Effect, Exit, Option, Result, Tracer } from "effect"
import { subagent } from "../../src/harness/subagent.ts"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import { agentSpan } from "../../src/telemetry/spans.ts"
import { say } from "../../src/tools/Tool.ts"
import * as FakeRun from "../harness/FakeRun.ts"
import { gatewayOf, textOf, tool } from "../tools/world.ts"

/** Runs work under a tracer that keeps what it is given. */
const traced = Effect.fnUntraced(function* <A, E, R>(work: Effect.Effect<A, E, R>) {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  yield* Effect.provideService(work, Tracer.Tracer, tracer)
  const named = (name: string) => spans.filter((span) => span.name === name)
  return { spans, named }
})

const attributesOf = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])
const failed = (span: Tracer.Span | undefined) => span?.status._tag === "Ended" && Exit.isFailure(span.status.exit)

const harness = OpenAiAgents.make({
  choose: () => Effect.succeed(Result.succeed({ client: DemoModel.make(), model: "demo", price: null }))
})
const turn = (words: string) => {
  const fake = FakeRun.make({ model: "demo", history: [FakeRun.user(words)] })
  const { frames, gateway } = gatewayOf({ agentTools: [], others: [tool({ name: "look" })] })
  return Effect.scoped(harness.run({ ...fake.run, frames, tools: gateway }))
}

describe("Spans of a turn", () => {
  it.live("tell of each request what it was for and what it took, and of its words nothing", () =>
    Effect.gen(function* () {
      const { named, spans } = yield* traced(turn('call look {"at":"sesame"}\nsay: sesame'))
      const chats = named("chat demo")
      assert.lengthOf(chats, 2)
      assert.deepInclude(attributesOf(chats[1]), {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "demo",
        "gen_ai.request.model": "demo",
        "gen_ai.response.finish_reasons": ["end_turn"]
      })
      assert.isAbove(attributesOf(chats[1])["gen_ai.usage.output_tokens"] as number, 0)
      const [call] = named("execute_tool look")
      assert.deepInclude(attributesOf(call), {
        "gen_ai.tool.name": "look",
        "gen_ai.tool.type": "function",
        "troupe.tool.outcome": "succeeded"
      })
      assert.notInclude(JSON.stringify(spans.map((span) => [...span.attributes])), "sesame")
    })
  )

  it.live("show a sub-agent within the call that it works for, and its requests within it", () =>
    Effect.gen(function* () {
      const { run } = FakeRun.make({ model: "demo", history: [] })
      const chat = Effect.withSpan(Effect.succeed("sesame"), "chat demo")
      const helper = { name: "helper", task: "sesame", callId: null }
      const consult = tool(
        { name: "consult" },
        { run: () => Effect.map(Effect.orDie(subagent(run.frames, helper, () => chat)), say) }
      )
      const { call } = gatewayOf({ agentTools: [], others: [consult] })
      const { named, spans } = yield* traced(call("consult", {}))
      const [asked, worked, outer] = ["chat demo", "invoke_agent helper", "execute_tool consult"].map(
        (name) => named(name)[0]!
      )
      assert.strictEqual(Option.getOrThrow(asked!.parent).spanId, worked!.spanId)
      assert.strictEqual(Option.getOrThrow(worked!.parent).spanId, outer!.spanId)
      assert.deepInclude(attributesOf(worked), { "gen_ai.agent.name": "helper" })
      assert.notInclude(JSON.stringify(spans.map((span) => [...span.attributes])), "sesame")
    })
  )

  it.live("hold words where somebody wants them, as far as they may be told", () =>
    Effect.gen(function* () {
      const textOfSpan = (value: unknown) => JSON.stringify(value).replaceAll("sesame", "…")
      const { named } = yield* traced(Effect.provideService(turn("say: open sesame"), Tracing.SpanContent, textOfSpan))
      const attributes = attributesOf(named("chat demo")[0])
      assert.include(attributes["gen_ai.input.messages"], "open …")
      assert.include(attributes["gen_ai.output.messages"], "open …")
    })
  )

  it.live("fail where the call does, and hang from whoever asked for the attempt", () =>
    Effect.gen(function* () {
      const denied = gatewayOf({ agentTools: [] })
      const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
      const request = {
        agent: { agentId: "agent", name: "helper", version: 1, model: { id: "demo" }, harness: "shell" },
        overrides: {},
        traceparent: `00-${trace}-${span}-01`
      } as never
      const error = { code: "model_timeout", message: "sesame" }
      const end = { _tag: "Failed", error, retryable: true, retryAfterMs: null } as const
      const work = Effect.as(denied.call("nothing", {}), end)
      const { named } = yield* traced(
        Effect.tap(agentSpan(request)(work), (ended) => Effect.sync(() => assert.strictEqual(ended, end)))
      )
      const [agent] = named("invoke_agent helper")
      assert.deepInclude(Option.getOrThrow(agent!.parent), { traceId: trace, spanId: span })
      assert.isTrue(failed(agent))
      assert.strictEqual(attributesOf(agent)["error.type"], "model_timeout")
      const [call] = named("execute_tool nothing")
      assert.strictEqual(Option.getOrThrow(call!.parent).spanId, agent!.spanId)
      assert.isTrue(failed(call))
      assert.strictEqual(attributesOf(call)["error.type"], "denied")
      assert.include(textOf(denied.frames.last("ToolFinished").content), "no tool")
    })
  )
})
