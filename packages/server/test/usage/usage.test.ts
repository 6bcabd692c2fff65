import { assert, layer } from "@effect/vitest"
import { system } from "@troupe/domain/Actor"
import { toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { AttemptGone, type Delivery, type Output } from "@troupe/domain/runner/Attempt"
import type { DayLimit } from "@troupe/domain/workspace/DayLimit"
import { Clock, Deferred, Effect, Layer, Stream } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import * as Projector from "../../src/log/Projector.ts"
import { record } from "../../src/log/Recorder.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { SessionLog } from "../../src/runners/SessionLog.ts"
import { AttemptDriver, type AttemptOrder, type PlaceRequest } from "../../src/session/AttemptDriver.ts"
import * as BudgetedDriver from "../../src/usage/BudgetedDriver.ts"
import { DayBudgets, dayOf } from "../../src/usage/DayBudgets.ts"
import { Usage, type UsageKey } from "../../src/usage/Usage.ts"
import { usageProjection } from "../../src/usage/UsageProjection.ts"
import { SettingsStore } from "../../src/workspace/SettingsStore.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { openCommand } from "../support/CommandGenerator.ts"
import { LogWriter, minting, newCommandId, newId, sha256 } from "../support/LogWriter.ts"
import { prng } from "../../../../test/support/Prng.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const World = Layer.mergeAll(
  DayBudgets.layer({ freshMs: 0 }).pipe(Layer.provideMerge(Layer.mergeAll(Usage.layer, SettingsStore.layer))),
  Workspaces.layer
).pipe(
  Layer.provideMerge(WorkspaceLog.layer),
  Layer.provideMerge(EventStorePg.layer),
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp({ maxConnections: 10 })),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

const random = prng(5)
const zeros = "0".repeat(64)
const digests = { policy: zeros, catalog: zeros, agent: zeros, harness: "test", model: "test" }

interface Event {
  readonly _tag: string
  readonly threadId?: string
}

/** A session whose log a test writes word by word. */
class Told {
  readonly writer: LogWriter
  readonly thread = newId("Thread")
  readonly agentId: string

  constructor(workspaceId: WorkspaceId) {
    this.writer = new LogWriter({ workspaceId })
    const body = openCommand(random, this.writer.streamId as never, workspaceId)
    if (body._tag !== "Open") throw new Error("It is to open a session")
    const { _tag, history: _history, inputs: _inputs, ...opening } = body
    this.agentId = body.agent.agentId
    this.opening = { _tag: "SessionOpened", ...opening, at: 1 } as Event
  }

  readonly opening: Event

  readonly tell = Effect.fnUntraced({ self: this }, function* (...events: ReadonlyArray<Event>) {
    const store = yield* EventStore
    const { epoch, streamId, tail, workspaceId } = this.writer
    const stream = "session" as const
    const pen = { stream, streamId, workspaceId, epoch, nowMicros: Date.now() * 1_000, sha256, minting }
    const cause = { causationId: newCommandId(), correlationId: minting.salt(), actorText: `{"type":"system"}`, at: 0 }
    const facts = events.map(({ _tag: type, ...payload }) => ({
      type,
      version: 1,
      threadId: (payload.threadId ?? null) as never,
      payload: JSON.stringify(payload)
    }))
    const recorded = record(pen, tail, cause, facts, null)
    yield* store.append({
      ...{ stream, streamId, workspaceId, epoch, expectedVersion: tail.version },
      ...{ events: recorded.events, rejections: [], inputIds: [], wakeAt: null, summary: null }
    })
    this.writer.advance(recorded.events)
  })

  request(model: string, tokens: number, cost: number | null = 5, thread = this.thread): ReadonlyArray<Event> {
    const at = {
      threadId: thread,
      turnId: newId("Turn"),
      attemptId: null,
      frame: null,
      requestId: newId("ModelRequest")
    }
    const usage = {
      ...{ source: "measured", inputTokens: tokens, outputTokens: 1, cacheReadTokens: 0, cacheWrite5mTokens: 0 },
      ...{ cacheWrite1hTokens: 0, webSearches: 0, webFetches: 0, costMicroUsd: cost }
    }
    return [
      { _tag: "ModelRequestStarted", ...at, model, provider: "test", estimate: usage, request: null } as Event,
      { _tag: "ModelRequestEnded", ...at, outcome: "succeeded", usage, durationMs: 1, response: null } as Event
    ]
  }

  begins(at: number): Event {
    const started = { ...this.attempt, runnerId: newId("Runner"), number: 1, digests, at }
    return { _tag: "AttemptStarted", ...started } as Event
  }

  ends(_tag: "AttemptLost" | "TurnFailed" | "TurnSuspended" | "TurnCompleted", at: number): Event {
    const error = { code: "test", message: "" }
    const how = {
      AttemptLost: { reason: "test" },
      TurnFailed: { error, retryStatus: "exhausted" },
      TurnSuspended: { frame: 1, reason: "paused" },
      TurnCompleted: { frame: 1, stop: "end_turn", details: null, inputIds: [] }
    }
    const ended = { ...this.attempt, ...how[_tag], at }
    return { _tag, ...ended } as Event
  }

  private get attempt() {
    return { threadId: this.thread, turnId: newId("Turn"), attemptId: newId("Attempt") }
  }

  call(): Event {
    return { _tag: "ToolStarted", ...this.said, callId: newId("Event"), at: 1 } as Event
  }

  searched(executor: string): Event {
    const how = { outcome: "succeeded", content: [], isError: false, durationMs: 1, details: { webSearches: 1 } }
    return { _tag: "ToolFinished", ...this.said, callId: newId("Event"), executor, ...how } as Event
  }

  private get said() {
    return { threadId: this.thread, turnId: newId("Turn"), attemptId: null, frame: null }
  }
}

const told = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
  const session = new Told(workspaceId)
  yield* session.writer.open
  yield* session.tell(session.opening)
  return session
})

const workspace = Effect.flatMap(Workspaces, ({ create }) => create("test", system))

const settled = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [now] = yield* sql<{ readonly xid: string }>`SELECT pg_current_xact_id()::text AS xid`
  const above = sql`SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > ${now!.xid}::xid8`
  while ((yield* above).length === 0) yield* Effect.sleep(5)
})

const catchUp = (projection = usageProjection, limit?: number) =>
  Effect.gen(function* () {
    yield* settled
    while ((yield* Projector.step(projection, limit))._tag !== "CaughtUp") yield* Effect.yieldNow
  })

const today = Effect.map(Clock.currentTimeMillis, dayOf)

const used = (workspaceId: WorkspaceId, ...by: ReadonlyArray<UsageKey>) =>
  Effect.gen(function* () {
    const usage = yield* Usage
    // A run may pass midnight.
    return yield* usage.query({ workspaceId, from: "2000-01-01", to: "2999-01-01", by })
  })

layer(World, { excludeTestServices: true, timeout: "60 seconds" })("What is used", (it) => {
  it.effect("adds up by model, agent and session, each request once", () =>
    Effect.gen(function* () {
      const workspaceId = yield* workspace
      const [one, two] = [yield* told(workspaceId), yield* told(workspaceId)]
      yield* one.tell(...one.request("a", 10), ...one.request("a", 20), ...one.request("b", 100, null), one.call())
      yield* two.tell(...two.request("a", 1_000))
      yield* catchUp(usageProjection, 3)
      const [all] = yield* used(workspaceId)
      assert.deepInclude(all, {
        ...{ modelRequests: 4, inputTokens: 1_130, outputTokens: 4, toolCalls: 1 },
        ...{ costMicroUsd: 15, unpricedRequests: 1, estimatedRequests: 0 }
      })
      assert.deepStrictEqual(
        (yield* used(workspaceId, "model")).map(({ inputTokens, model, toolCalls }) => [model, inputTokens, toolCalls]),
        [
          ["", 0, 1],
          ["test/a", 1_030, 0],
          ["test/b", 100, 0]
        ]
      )
      const bySession = yield* used(workspaceId, "session", "agent")
      assert.sameDeepMembers(
        bySession.map(({ agentId, inputTokens, sessionId }) => [sessionId, agentId, inputTokens]),
        [
          [one.writer.streamId, one.agentId, 130],
          [two.writer.streamId, two.agentId, 1_000]
        ]
      )
      const sql = yield* SqlClient.SqlClient
      const left = yield* sql`SELECT FROM usage_requests WHERE session_id = ${toUuid(one.writer.streamId)!}`
      assert.lengthOf(left, 0)
    })
  )

  it.effect("has the searches of our own tool at their list price", () =>
    Effect.gen(function* () {
      const workspaceId = yield* workspace
      const session = yield* told(workspaceId)
      yield* session.tell(...session.request("a", 10), session.searched("function"), session.searched("mcp"))
      yield* catchUp()
      assert.deepInclude((yield* used(workspaceId))[0], { webSearches: 1, costMicroUsd: 10_005 })
    })
  )

  it.effect("of a thread with an agent of its own is that agent's", () =>
    Effect.gen(function* () {
      const workspaceId = yield* workspace
      const session = yield* told(workspaceId)
      const [own, plain] = [newId("Thread"), newId("Thread")]
      const agentId = newId("Agent")
      const opened = { _tag: "ThreadOpened", name: "sub", parentThreadId: session.thread }
      yield* session.tell(
        { ...opened, threadId: own, agent: { agentId } } as Event,
        { ...opened, threadId: plain, agent: null } as Event,
        ...session.request("a", 7, 1, own),
        ...session.request("a", 9, 1, plain)
      )
      yield* catchUp()
      assert.sameDeepMembers(
        (yield* used(workspaceId, "agent")).map((row) => [row.agentId, row.inputTokens]),
        [
          [agentId, 7],
          [session.agentId, 9]
        ]
      )
    })
  )

  it.effect("is also time: of each attempt from its start to whatever ends it, once", () =>
    Effect.gen(function* () {
      const workspaceId = yield* workspace
      const session = yield* told(workspaceId)
      const usage = yield* Usage
      yield* session.tell(session.begins(1_000), session.ends("AttemptLost", 3_000), session.ends("TurnFailed", 9_000))
      yield* session.tell(session.begins(10_000), session.ends("TurnSuspended", 10_500), session.begins(20_000))
      yield* catchUp()
      assert.deepInclude((yield* used(workspaceId))[0], { activeMs: 2_500, toolCalls: 0 })
      assert.strictEqual(yield* usage.working(workspaceId, 20_750), 750)
      yield* session.tell(session.ends("TurnCompleted", 21_000))
      yield* catchUp()
      assert.deepInclude((yield* used(workspaceId))[0], { activeMs: 3_500 })
      assert.strictEqual(yield* usage.working(workspaceId, 99_000), 0)
    })
  )

  it.effect("is the same when it is made anew, one event after the other", () =>
    Effect.gen(function* () {
      const workspaceId = yield* workspace
      const session = yield* told(workspaceId)
      yield* session.tell(...session.request("a", 10), session.call())
      yield* session.tell(session.begins(1_000), session.ends("AttemptLost", 3_000), session.ends("TurnFailed", 9_000))
      yield* session.tell(session.begins(10_000), session.begins(11_000), session.ends("TurnCompleted", 11_500))
      yield* catchUp()
      const before = yield* used(workspaceId, "day", "model", "agent", "session")
      assert.deepStrictEqual(
        before.map(({ activeMs, inputTokens }) => [activeMs, inputTokens]),
        [
          [2_500, 0],
          [0, 10]
        ]
      )
      const anew = { ...usageProjection, version: usageProjection.version + 1 }
      yield* catchUp(anew, 1)
      assert.deepStrictEqual(yield* used(workspaceId, "day", "model", "agent", "session"), before)
      yield* Projector.retire(anew, 0)
      assert.deepStrictEqual(yield* used(workspaceId, "day", "model", "agent", "session"), before)
      const sql = yield* SqlClient.SqlClient
      assert.lengthOf(yield* sql`SELECT FROM usage_days WHERE generation = ${usageProjection.version}`, 0)
      yield* sql`DELETE FROM projections WHERE name = 'usage'`
      yield* sql`DELETE FROM usage_days`
      yield* sql`DELETE FROM usage_threads`
    })
  )
})

const placed = { _tag: "Placed", runnerId: newId("Runner"), digests: {} } as never
const ended: Output = {
  _tag: "Frames",
  frames: [{ n: 1, at: 0, body: { _tag: "ModelRequestEnded" } as never }]
}

/** A driver that places everything, and notes what it is told to deliver. Its attempts end when they are told to stop. */
const inner = (delivered: Array<Delivery>, stopped: Deferred.Deferred<void>) =>
  Layer.succeed(
    AttemptDriver,
    AttemptDriver.of({
      place: () => Effect.succeed(placed),
      run: ({ attemptId }) =>
        Stream.concat(
          Stream.make(ended),
          Stream.fromEffect(
            Effect.andThen(Deferred.await(stopped), Effect.fail(new AttemptGone({ attemptId, reason: "over" })))
          )
        ),
      attach: () => Stream.empty,
      acknowledge: () => Effect.void,
      deliver: (_attempt, delivery) =>
        Effect.sync(() => {
          delivered.push(delivery)
          Deferred.doneUnsafe(stopped, Effect.void)
        }),
      revoke: () => Effect.void,
      takeAway: () => Effect.void
    })
  )

layer(World, { excludeTestServices: true, timeout: "60 seconds" })("A workspace's day", (it) => {
  const limited = Effect.fnUntraced(function* (...dayLimits: ReadonlyArray<DayLimit>) {
    const workspaceId = yield* workspace
    const settings = yield* SettingsStore
    yield* settings.change(workspaceId, system, () => Effect.succeed({ policies: [], dayLimits }))
    const session = yield* told(workspaceId)
    const delivered: Array<Delivery> = []
    const stopped = yield* Deferred.make<void>()
    const budgeted = BudgetedDriver.layer(inner(delivered, stopped)).pipe(Layer.provide(SessionLog.layer))
    const driver = yield* Effect.provide(Effect.service(AttemptDriver), budgeted)
    const request = { sessionId: session.writer.streamId, threadId: session.thread } as unknown as PlaceRequest
    const place = driver.place(request)
    return { workspaceId, settings, session, driver, delivered, place, request }
  })
  const hard: DayLimit = { metric: "tokens", max: 100, enforcement: "hard" }

  it.effect("lets turns begin until a hard limit is come up to, and again once it is raised", () =>
    Effect.gen(function* () {
      const { place, session, settings, workspaceId } = yield* limited(hard)
      yield* session.tell(...session.request("a", 98))
      yield* catchUp()
      assert.strictEqual((yield* place)._tag, "Placed")
      yield* session.tell(...session.request("a", 1))
      yield* catchUp()
      const waiting = yield* place
      assert.strictEqual(waiting._tag, "Waiting")
      assert.match(waiting._tag === "Waiting" ? waiting.reason : "", /^budget: .* tokens$/)
      yield* settings.pass(workspaceId, yield* today, system)
      assert.strictEqual((yield* place)._tag, "Waiting")
      const raised = { policies: [], dayLimits: [{ ...hard, max: 1_000 }] }
      yield* settings.change(workspaceId, system, () => Effect.succeed(raised))
      assert.strictEqual((yield* place)._tag, "Placed")
    })
  )

  it.effect("holds at a soft limit until somebody lets it pass for the day", () =>
    Effect.gen(function* () {
      const { place, session, settings, workspaceId } = yield* limited({ ...hard, enforcement: "soft" })
      yield* session.tell(...session.request("a", 200))
      yield* catchUp()
      assert.strictEqual((yield* place)._tag, "Waiting")
      yield* settings.pass(workspaceId, "2001-01-01", system)
      assert.strictEqual((yield* place)._tag, "Waiting")
      yield* settings.pass(workspaceId, yield* today, system)
      assert.strictEqual((yield* place)._tag, "Placed")
    })
  )

  it.effect("holds at a limit on working time, of what has ended and of what works", () =>
    Effect.gen(function* () {
      const { place, session } = yield* limited({ metric: "active_ms", max: 60_000, enforcement: "hard" })
      const now = Date.now()
      yield* session.tell(session.begins(now - 50_000), session.ends("TurnCompleted", now))
      yield* catchUp()
      assert.strictEqual((yield* place)._tag, "Placed")
      yield* session.tell(session.begins(now - 30_000))
      yield* catchUp()
      assert.strictEqual((yield* place)._tag, "Waiting")
    })
  )

  it.effect("stops what runs before its next request", () =>
    Effect.gen(function* () {
      const { delivered, driver, request, session } = yield* limited(hard)
      yield* session.tell(...session.request("a", 200))
      yield* catchUp()
      const order = { ...request, attemptId: newId("Attempt") } as unknown as AttemptOrder
      yield* Effect.result(Stream.runDrain(driver.run(order)))
      assert.deepStrictEqual(delivered, [{ _tag: "Stop", reason: "budget" }])
    })
  )

  it.effect("is not begun with settings that can't be read, and leaves its trace in the workspace's log", () =>
    Effect.gen(function* () {
      const { place, workspaceId } = yield* limited(hard)
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual((yield* place)._tag, "Placed")
      const types = yield* sql<{ readonly type: string }>`
        SELECT type FROM events WHERE stream_id = ${toUuid(workspaceId)!} ORDER BY seq`
      assert.deepStrictEqual(
        types.map(({ type }) => type),
        ["WorkspaceCreated", "SettingsChanged"]
      )
      yield* sql`UPDATE workspace_settings SET settings = '{"policies":7}' WHERE workspace_id = ${toUuid(workspaceId)!}`
      assert.strictEqual((yield* place)._tag, "Waiting")
    })
  )
})
