import { assert, it } from "@effect/vitest"
import {
  BatchTraceProcessor,
  OpenAITracingExporter,
  setTraceProcessors,
  setTracingDisabled,
  withTrace
} from "@openai/agents"
import { Effect, Result } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import { httpServer } from "../support/LocalServer.ts"
import * as FakeRun from "./FakeRun.ts"

const harness = OpenAiAgents.make({
  choose: () => Effect.succeed(Result.succeed({ client: DemoModel.make({ paceMs: 0 }), model: "demo", price: null }))
})

/** A turn with a call, which the SDK would have several spans of. */
const turn = Effect.suspend(() => {
  const history = [FakeRun.user("run: ls")]
  const { run } = FakeRun.make({ model: "demo", history, tools: { bash: () => Effect.succeed("out") } })
  return harness.run(run)
})

it.live("The SDK's own traces go nowhere, also where it has a key and somebody lets it trace", () =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const port = yield* httpServer((request, response) => {
      heard.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      response.end("{}")
    })
    const exporter = new OpenAITracingExporter({ apiKey: "sk-test", endpoint: `http://127.0.0.1:${port}/traces` })
    const processor = new BatchTraceProcessor(exporter)
    setTraceProcessors([processor])
    const flush = Effect.promise(() => processor.forceFlush())

    const end = yield* turn
    assert.strictEqual(end._tag, "Completed")
    yield* Effect.promise(() => withTrace("of another user of the SDK", () => Promise.resolve()))
    yield* flush
    assert.deepStrictEqual(heard, [])

    yield* Effect.acquireUseRelease(
      Effect.sync(() => setTracingDisabled(false)),
      () =>
        Effect.gen(function* () {
          yield* turn
          yield* flush
          assert.deepStrictEqual(heard, [])
          // It would have been heard.
          yield* Effect.promise(() => withTrace("of this test", () => Promise.resolve()))
          yield* flush
          assert.deepStrictEqual(heard, ["POST /traces Bearer sk-test"])
        }),
      () => Effect.sync(() => setTracingDisabled(true))
    )
  }).pipe(Effect.scoped)
)
