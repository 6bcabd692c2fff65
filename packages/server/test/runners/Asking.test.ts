import { system } from "@troupe/domain/Actor"
import type { AttemptId, EventId, SessionId, ThreadId } from "@troupe/domain/Ids"
import type { Answer, Ask } from "@troupe/domain/runner/Asks"
import { text } from "@troupe/domain/session/Content"
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Stream } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { NodeLock } from "../../src/cluster/NodeLock.ts"
import { Minting } from "../../src/log/Minting.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { AskJournal } from "../../src/runners/AskJournal.ts"
import { Assignments } from "../../src/runners/Assignments.ts"
import { Asking } from "../../src/runners/Asking.ts"
import type { RunnerLink } from "../../src/runners/RunnerLinks.ts"
import { type RunnerIdentity, RunnerRegistry } from "../../src/runners/RunnerRegistry.ts"
import { SecretSource } from "../../src/runners/SecretSource.ts"
import { Tickets } from "../../src/runners/Tickets.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { type PlatformCall, ToolHost } from "../../src/runners/ToolHost.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { newId } from "../support/LogWriter.ts"
import { eventually } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const calls: Array<PlatformCall> = []
let gate: Deferred.Deferred<void> | undefined

/** Says what it was asked, once it may. */
const tools = Layer.succeed(
  ToolHost,
  ToolHost.of({
    call: (call) =>
      Effect.gen(function* () {
        calls.push(call)
        if (gate !== undefined) yield* Deferred.await(gate)
        if (call.tool === "broken") return yield* Effect.die(new Error("with a secret inside"))
        return { _tag: "Result", content: text(JSON.stringify(call.input)), isError: false } as const
      })
  })
)

const lock = Layer.unwrap(
  Effect.map(TestDatabase, ({ appUrl }) =>
    Layer.effectDiscard(Effect.flatMap(NodeLock, ({ announce }) => announce("test:1"))).pipe(
      Layer.provideMerge(NodeLock.layer({ url: appUrl, release: "test", reads: 1 }))
    )
  )
)

/** Every attempt works where it says. */
const assignments = Layer.succeed(Assignments, {
  isWorking: () => Effect.succeed(true),
  isWith: () => Effect.succeed(true)
})

const Services = Asking.layer.pipe(
  Layer.provide([AskJournal.layer, tools, SecretSource.layerEmpty, assignments]),
  Layer.provideMerge(Layer.mergeAll(RunnerRegistry.layer, Workspaces.layer, Tickets.layer, lock)),
  Layer.provideMerge(Tokens.layer),
  Layer.provide(WorkspaceLog.layer),
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

const enrolled = Effect.gen(function* () {
  const workspaces = yield* Workspaces
  const tokens = yield* Tokens
  const registry = yield* RunnerRegistry
  const kind = "runner_registration"
  const workspaceId = yield* workspaces.create("test", system)
  const { secret } = yield* tokens.create({ workspaceId, kind, name: "r", labels: [] }, system)
  const token = yield* tokens.authenticate(kind, Option.some(secret))
  return (yield* registry.enrol(token, { name: "r", labels: [] })).runner
})

/** A link that asks these, and keeps what it is answered. */
const linkOf = (identity: RunnerIdentity, asks: ReadonlyArray<Ask>) => {
  const answers: Array<readonly [string, Answer]> = []
  const connection = {
    stream: () => Stream.fromIterable(asks),
    call: (_runner: string, _tag: string, { answer, askId }: { askId: string; answer: Answer }) =>
      Effect.sync(() => void answers.push([askId, answer]))
  }
  return { link: { identity, connection } as unknown as RunnerLink, answers }
}

const asked = Effect.fnUntraced(function* (identity: RunnerIdentity, askId: string, more: Partial<Ask> = {}) {
  const tickets = yield* Tickets
  const sessionId = newId("Session") as SessionId
  const { runnerId, workspaceId } = identity
  return {
    askId,
    sessionId,
    threadId: newId("Thread") as ThreadId,
    attemptId: newId("Attempt") as AttemptId,
    ticket: tickets.issue({ workspaceId, sessionId, runnerId }),
    body: { _tag: "PlatformCall", callId: newId("Event") as EventId, tool: "say", input: { n: 1 } },
    ...more
  } satisfies Ask as Ask
})

const serve = Effect.fnUntraced(function* (identity: RunnerIdentity, ...asks: ReadonlyArray<Ask>) {
  const asking = yield* Asking
  const { answers, link } = linkOf(identity, asks)
  yield* asking.serve(link)
  return answers.map(([, answer]) => answer)
})

const codeOf = (answer: Answer | undefined) => (answer?._tag === "Refused" ? answer.error.code : answer?._tag)

layer(Services, { excludeTestServices: true, timeout: 120_000 })("what a runner asks for", (it) => {
  it.effect("is done once, and answered alike however often it is asked", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const ask = yield* asked(runner, "a1")
      calls.length = 0
      const first = yield* serve(runner, ask)
      const second = yield* serve(runner, ask, ask)
      assert.deepStrictEqual(first, [{ _tag: "Result", content: text(`{"n":1}`), isError: false }])
      assert.deepStrictEqual(second, [first[0]!, first[0]!])
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(calls[0]!.workspaceId, runner.workspaceId)
    })
  )

  it.effect("goes on when the link breaks, and is waited for by who asks again", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const ask = yield* asked(runner, "a2")
      calls.length = 0
      gate = yield* Deferred.make<void>()
      const broken = yield* Effect.forkChild(serve(runner, ask))
      yield* Effect.promise(() => eventually(async () => calls.length === 1, "it began"))
      // The link's end does not wait for what was asked over it.
      yield* Fiber.interrupt(broken)
      const again = yield* Effect.forkChild(serve(runner, ask), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      gate = undefined
      assert.deepStrictEqual((yield* Fiber.join(again)).map(codeOf), ["Result"])
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("is unknown where the node that did it is gone", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const ask = yield* asked(runner, "a3")
      yield* serve(runner, ask)
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE asks SET answer = NULL, node_id = ${crypto.randomUUID()} WHERE ask_id = 'a3'`
      assert.deepStrictEqual((yield* serve(runner, ask)).map(codeOf), ["outcome_unknown"])
    })
  )

  it.effect("is refused with another body, another session's ticket or another runner's", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const other = yield* enrolled
      const ask = yield* asked(runner, "a4")
      calls.length = 0
      const changed = { ...ask, body: { ...ask.body, input: { n: 2 } } as Ask["body"] }
      assert.deepStrictEqual((yield* serve(runner, ask, changed)).map(codeOf).sort(), ["Result", "ask_id_reused"])
      const wrongSession = { ...ask, askId: "a5", sessionId: newId("Session") as SessionId }
      assert.deepStrictEqual((yield* serve(runner, wrongSession)).map(codeOf), ["not_assigned"])
      assert.deepStrictEqual((yield* serve(other, { ...ask, askId: "a6" })).map(codeOf), ["not_assigned"])
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("breaks alone, and says nothing of what was inside", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const body = { _tag: "PlatformCall", callId: newId("Event") as EventId, tool: "broken", input: {} } as const
      const broken = yield* asked(runner, "a7", { body })
      const fine = yield* asked(runner, "a8")
      const answers = yield* serve(runner, broken, fine)
      assert.deepStrictEqual(answers.map(codeOf).sort(), ["Result", "broken"])
      assert.notInclude(JSON.stringify(answers), "with a secret inside")
    })
  )

  it.effect("has no secret where there is none", () =>
    Effect.gen(function* () {
      const runner = yield* enrolled
      const body = { _tag: "RefreshSecret", name: "card", version: 1 } as const
      assert.deepStrictEqual((yield* serve(runner, yield* asked(runner, "a9", { body }))).map(codeOf), [
        "unknown_secret"
      ])
    })
  )

  it.effect("has no platform tool where there is none", () =>
    Effect.gen(function* () {
      const { call } = yield* ToolHost
      const refused = yield* call({ tool: "agent" } as PlatformCall)
      assert.deepStrictEqual(refused._tag === "Refused" && refused.error.message, "There is no platform tool agent")
    }).pipe(Effect.provide(ToolHost.layerEmpty))
  )
})
