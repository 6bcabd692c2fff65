import { assert } from "@effect/vitest"
import type { EventId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { PlanStep } from "@troupe/domain/session/Plan"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Deferred, Effect, Fiber, Latch, Result, type Scope } from "effect"
import { capabilities, type HarnessCapability } from "../../src/harness/capabilities.ts"
import type { Harness, HarnessEnd } from "../../src/harness/Harness.ts"
import type { JournalFull } from "../../src/attempt/AttemptFrames.ts"
import type { ChosenModel } from "../../src/harness/model/ChosenModel.ts"
import { pageReader } from "../../src/harness/model/pageReader.ts"
import { MemoryFrames } from "../tools/MemoryFrames.ts"
import { gatewayOf, noPlace, textOf } from "../tools/world.ts"
import * as FakeRun from "./FakeRun.ts"

/** A harness, and how it is told what a turn is about. */
export interface Subject {
  /** What it runs over. */
  readonly about: string
  readonly harness: Harness
  readonly model: string
  /** A message that has these commands run by `bash`, each after the one before it. */
  readonly commands: (...commands: ReadonlyArray<string>) => string
  /** A message for a model. */
  readonly words?: {
    readonly together: (...commands: ReadonlyArray<string>) => string
    readonly say: (words: string) => string
    readonly fail: string
    readonly refuse: string
    readonly plan: (steps: ReadonlyArray<PlanStep>) => string
    /** Has a page read for a question, by a sub-agent on the model of `reader`. */
    readonly look: (url: string, prompt: string) => string
    readonly reader: () => Omit<ChosenModel, "price">
  }
  /** The same over a model whose window is as small as this. */
  readonly within?: (contextTokens: number) => Harness
  /** The same over a server that refuses, where the usual one can't say so. */
  readonly refusing?: Effect.Effect<Harness, never, Scope.Scope>
}

type Check = (subject: Subject) => Effect.Effect<void, JournalFull>

const ran = (frames: ReadonlyArray<FrameBody>) =>
  frames.flatMap((body) => (body._tag === "ToolRequested" ? [JSON.stringify(body.input)] : []))
const count = (frames: ReadonlyArray<FrameBody>, tag: FrameBody["_tag"]) =>
  frames.filter(({ _tag }) => _tag === tag).length

const message = (words: string): HistoryItem =>
  ({ ...FakeRun.user(words), inputId: "sevt_message" as EventId }) as never

const make = (
  { harness, model }: Subject,
  words: string,
  bash: FakeRun.FakeTool,
  more: Partial<FakeRun.FakeRunOptions> = {}
) => {
  const fake = FakeRun.make({ model, history: [message(words)], tools: { bash }, ...more })
  return { ...fake, end: harness.run(fake.run) }
}

const completes = (end: HarnessEnd) => assert.strictEqual(end._tag, "Completed")
const done = () => Effect.succeed("out")
const wordsOf = ({ words }: Subject) => words ?? assert.fail("a harness without a model can't claim this")

/** What each capability means, as something that can be seen. */
export const checks: Readonly<Record<HarnessCapability, Check>> = {
  tools: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, subject.commands("one", "two"), done)
    completes(yield* fake.end)
    const [first, second, ...others] = ran(fake.frames)
    assert.match(first ?? "", /one/)
    assert.match(second ?? "", /two/)
    assert.deepStrictEqual(others, [])
  }),
  parallel_calls: Effect.fnUntraced(function* (subject) {
    const both = Latch.makeUnsafe(false)
    let running = 0
    const together = () =>
      Effect.suspend(() => {
        if (++running === 2) both.openUnsafe()
        return Effect.as(both.await, "out")
      })
    completes(yield* make(subject, wordsOf(subject).together("one", "two"), together).end)
  }),
  streaming: Effect.fnUntraced(function* (subject) {
    const said = "much to say ".repeat(20).trim()
    const fake = make(subject, wordsOf(subject).say(said), done)
    completes(yield* fake.end)
    assert.include(FakeRun.said(fake.frames).join(""), said)
    assert.strictEqual(fake.deltas.map(([, , piece]) => piece).join(""), FakeRun.said(fake.frames).join(""))
    assert.isAbove(fake.deltas.length, 1)
  }),
  suspension: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, subject.commands("one", "two"), () => Effect.succeed("awaiting"))
    assert.deepStrictEqual(yield* fake.end, { _tag: "Suspended", reason: "requires_action" })
    assert.lengthOf(ran(fake.frames), 1)
  }),
  resumption: Effect.fnUntraced(function* (subject) {
    const first = make(subject, subject.commands("one", "two"), () => Effect.succeed("awaiting"))
    yield* first.end
    const open = first.frames.find((body) => body._tag === "ToolRequested")!
    const { callId, input, name, providerCallId } = open
    const requestId = open.requestId ?? null
    const history: ReadonlyArray<HistoryItem> = [
      message(subject.commands("one", "two")),
      { type: "tool_call", callId, requestId, providerCallId, name, server: null, input },
      { type: "tool_result", callId, providerCallId, outcome: "pending", content: text("-"), isError: true }
    ]
    const answered = { _tag: "Done", callId, outcome: "succeeded", content: text("out"), isError: false } as const
    const second = make(subject, "", done, { history, resume: Effect.succeed([answered]) })
    completes(yield* second.end)
    assert.lengthOf(ran(second.frames), 1)
    assert.match(ran(second.frames)[0]!, /two/)
  }),
  interruption: Effect.fnUntraced(function* (subject) {
    const begun = Deferred.makeUnsafe<void>()
    const fake = make(subject, subject.commands("one"), () =>
      Effect.andThen(
        Effect.sync(() => Deferred.doneUnsafe(begun, Effect.void)),
        Effect.never
      )
    )
    const fiber = yield* Effect.forkChild(fake.end)
    yield* Deferred.await(begun)
    const ended = yield* Effect.timeoutOption(Fiber.interrupt(fiber), 10_000)
    assert.strictEqual(ended._tag, "Some")
    assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
  }),
  steering: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, subject.commands("one"), () =>
      Effect.sync(() => {
        if (count(fake.frames, "ToolRequested") === 1) fake.steer(subject.commands("two"))
        return "out"
      })
    )
    completes(yield* fake.end)
    assert.strictEqual(count(fake.frames, "SteerTaken"), 1)
    assert.match(ran(fake.frames)[1] ?? "", /two/)
  }),
  pausing: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, subject.commands("one", "two"), () =>
      Effect.sync(() => {
        fake.stop("paused")
        return "out"
      })
    )
    assert.deepStrictEqual(yield* fake.end, { _tag: "Suspended", reason: "paused" })
    assert.lengthOf(ran(fake.frames), 1)
  }),
  // Nobody tells them to stop: no node may be in reach.
  budgets: Effect.fnUntraced(function* (subject) {
    const ofModels = subject.words === undefined ? [] : (["model_requests"] as const)
    for (const metric of ["tool_calls", "active_ms", ...ofModels] as const) {
      let now = 0
      const limit = { metric, max: 1, enforcement: "hard", scope: "turn" } as const
      const works = () => Effect.sync(() => `out ${++now}`)
      const fake = make(subject, subject.commands("one", "two"), works, { budget: [limit], now: () => now })
      assert.deepStrictEqual(yield* fake.end, { _tag: "Suspended", reason: "budget" }, metric)
      assert.lengthOf(ran(fake.frames), 1, metric)
    }
  }),
  plans: Effect.fnUntraced(function* (subject) {
    const first: ReadonlyArray<PlanStep> = [
      { step: "look", status: "in_progress" },
      { step: "act", status: "pending" }
    ]
    const then = first.map(({ step }): PlanStep => ({ step, status: "completed" }))
    const { plan } = wordsOf(subject)
    const fake = FakeRun.make({ model: subject.model, history: [message(`${plan(first)}\n${plan(then)}`)] })
    const { frames, gateway } = gatewayOf({
      agentTools: [{ type: "troupe_toolset", configs: [{ name: "update_plan" }] }]
    })
    completes(yield* subject.harness.run({ ...fake.run, frames, tools: gateway }))
    const told = frames.all("Noted").flatMap(({ event }) => (event._tag === "PlanUpdated" ? [event.items] : []))
    assert.deepStrictEqual(told, [first, then])
  }),
  subagents: Effect.fnUntraced(function* (subject) {
    const { look, reader } = wordsOf(subject)
    const [url, prompt] = ["https://example.com/", "What is it?"]
    const fake = FakeRun.make({ model: subject.model, history: [message(look(url, prompt))] })
    const frames = new MemoryFrames()
    const bytes = Buffer.from("say: It is forty-two.")
    const fetch = () => Effect.succeed({ status: 200, url, headers: {}, bytes, truncated: false })
    const choose = Effect.sync(() => Result.succeed({ ...reader(), price: null }))
    const { gateway } = gatewayOf({
      frames,
      place: { ...noPlace(), spill: () => Effect.succeed({ path: "/page", write: () => Effect.succeed(true) }) },
      parts: { fetch: { fetch }, summarizer: pageReader({ ...fake.run, frames, choose, cacheKey: "pages" }) }
    })
    completes(yield* subject.harness.run({ ...fake.run, frames, tools: gateway }))
    const { callId } = frames.last("ToolRequested")
    const { subagentId, ...began } = frames.last("SubagentStarted")
    assert.deepInclude(began, { task: `${url}: ${prompt}`, callId, parentId: null })
    assert.deepInclude(frames.last("SubagentEnded"), { subagentId, outcome: "succeeded" })
    for (const told of [frames.last("SubagentEnded").summary ?? "", textOf(frames.last("ToolFinished").content)]) {
      assert.include(told, "It is forty-two.")
    }
    assert.deepStrictEqual(
      frames.all("ModelRequestStarted").map((request) => request.subagentId ?? null),
      [null, subagentId, null]
    )
  }),
  usage: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, subject.commands("one"), done)
    completes(yield* fake.end)
    assert.isAbove(count(fake.frames, "ModelRequestStarted"), 0)
    assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
  }),
  recovery: Effect.fnUntraced(function* (subject) {
    const fake = make(subject, wordsOf(subject).fail, done)
    assert.deepInclude(yield* fake.end, { _tag: "Failed", retryable: true })
    assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
  }),
  refusals: Effect.fnUntraced(function* (subject) {
    const harness = yield* subject.refusing ?? Effect.succeed(subject.harness)
    const fake = make({ ...subject, harness }, wordsOf(subject).refuse, done)
    assert.deepInclude(yield* fake.end, { _tag: "Completed", stop: "refusal" })
  }, Effect.scoped),
  compaction: Effect.fnUntraced(function* (subject) {
    const harness = subject.within?.(2_000) ?? assert.fail("a harness without a model can't claim this")
    const talk = `${subject.commands("one")}\n${"blah ".repeat(2_000)}`
    const fake = make({ ...subject, harness }, talk, done)
    completes(yield* fake.end)
    assert.isAbove(count(fake.frames, "ContextCompacted"), 0)
    assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
  })
}

/** Which harness claims what. docs/harnesses.md has it. */
export const table = (harnesses: ReadonlyArray<Harness>): string =>
  [
    `| capability | what it means: a harness that has it … | ${harnesses.map(({ name }) => `\`${name}\``).join(" | ")} |`,
    `|---|---|${harnesses.map(() => "---|").join("")}`,
    ...Object.entries(capabilities).map(
      ([name, about]) =>
        `| ${name} | ${about} | ${harnesses.map(({ capabilities: has }) => ((has as ReadonlyArray<string>).includes(name) ? "yes" : "–")).join(" | ")} |`
    )
  ].join("\n")
