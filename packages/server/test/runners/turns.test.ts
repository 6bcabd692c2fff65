import type { Command } from "@troupe/domain/session/SessionCommand"
import type { AttemptId, CommandId, EventId, RunnerId, SessionId, TurnId, WorkspaceId } from "@troupe/domain/Ids"
import { toUuid } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { OpenSession } from "@troupe/domain/session/SessionState"
import { system } from "@troupe/domain/Actor"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Codec from "@troupe/domain/session/Codec"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Redacted, Result, Scope, Stream } from "effect"
import * as EntityId from "effect/cluster/EntityId"
import * as Sharding from "effect/cluster/Sharding"
import * as SqlClient from "effect/sql/SqlClient"
import { purge } from "../../src/purge/Purger.ts"
import { Workplaces } from "../../src/runners/Workplaces.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import type { Script } from "../support/AttemptScript.ts"
import { allEvents } from "../support/allEvents.ts"
import { openCommand } from "../support/CommandGenerator.ts"
import { dial, type Dialled, type DialingRunnerOptions } from "../support/DialingRunner.ts"
import { newId } from "../support/LogWriter.ts"
import { prng } from "../../../../test/support/Prng.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"
import { eventually } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { register, type Registered, startNode, type TestNode } from "../support/TestNode.ts"

const random = prng(7)

const complete = { _tag: "Complete", stop: "end_turn" } as const
const think = (ms: number) => ({ _tag: "Think", ms, deltas: 2, tokens: 10 }) as const
const call = { _tag: "Tool", kind: "effect", ms: 5, fails: false, expiresInMs: null } as const
const short: Script = { steps: [think(20), call, call], end: complete, deaf: false }
const long: Script = { steps: [think(3_600_000)], end: complete, deaf: false }

describe("turns on runners that dialled in", { timeout: 180_000 }, () => {
  const scope = Scope.makeUnsafe()
  let a: TestNode
  let b: TestNode
  let workspaceId: WorkspaceId
  const open: Array<Dialled> = []

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    const times = { pingEveryMs: 500, pongWithinMs: 10_000, greetEveryMs: 2_000 }
    ;[a, b] = await Promise.all([startNode(database, times), startNode(database, times)])
    await a.run(Effect.flatMap(Workspaces, ({ first }) => first))
  }, 120_000)

  afterAll(async () => {
    for (const one of open) await one.cut()
    await Promise.all([a?.end(), b?.end()])
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const command = (body: Command["body"]): Command => ({
    commandId: newId("Command") as CommandId,
    at: Date.now(),
    actor: { type: "api_key", id: "test" },
    correlationId: "0".repeat(32),
    body
  })

  const message = (said = "go") =>
    ({
      _tag: "Message",
      inputId: newId("Event") as EventId,
      turnId: newId("Turn") as TurnId,
      threadId: null,
      content: text(said),
      mode: "queue",
      overrides: {},
      needsApproval: false
    }) as const

  const send = (node: TestNode, session: SessionId, body: Command["body"]) =>
    node.run(Effect.flatMap(Sessions, ({ handle }) => handle(session, command(body))))

  const openSession = async (
    node: TestNode,
    more: object = {},
    session = newId("Session") as SessionId
  ): Promise<SessionId> => {
    const body = {
      ...openCommand(random, session, workspaceId),
      budget: [],
      history: [],
      externalThreadKey: null,
      inputs: [message()],
      ...more
    }
    await send(node, session, body as never)
    return session
  }

  const current = async (node: TestNode, session: SessionId): Promise<OpenSession> =>
    (await node.run(Effect.flatMap(Sessions, (sessions) => sessions.current(session)))).state as OpenSession

  const events = async (node: TestNode, session: SessionId): Promise<ReadonlyArray<SessionEvent>> => {
    const stored = await node.run(allEvents(session))
    return stored.map((one) => Result.getOrThrow(Codec.decodeFast(one)))
  }

  const phase = async (node: TestNode, session: SessionId) => (await current(node, session)).threads[0]!.turn?.phase

  const isOwnedBy = (node: TestNode, session: SessionId) =>
    node.run(
      Effect.map(Sharding.Sharding, (sharding) =>
        sharding.hasShardId(sharding.getShardId(EntityId.make(session), "default"))
      )
    )

  const ended = (node: TestNode, session: SessionId) =>
    eventually(async () => (await phase(node, session)) === undefined, "the turn ends", 60_000)

  /** A workspace of its own, so that tests do not see each other's runners. */
  const fresh = async () => {
    workspaceId = await a.run(Effect.flatMap(Workspaces, (workspaces) => workspaces.create("test", system)))
  }

  const scripted = async (runner: Registered, script: Script, first = script) => {
    let begun = 0
    const scriptScope = Scope.makeUnsafe()
    const made = ScriptedRunner.make({
      random: random.fork(1),
      runnerId: runner.runnerId as RunnerId,
      script: () => (begun++ === 0 ? first : script)
    })
    return await Effect.runPromise(Effect.provideService(made, Scope.Scope, scriptScope))
  }

  const connect = async (node: TestNode, runner: Registered, more: Partial<DialingRunnerOptions> = {}) => {
    const dialled = await dial({ gateway: node.gateway, credential: Redacted.make(runner.credential), ...more })
    open.push(dialled)
    await dialled.greeted
    return dialled
  }

  it("wait and say why, and go on when a runner comes", async () => {
    await fresh()
    const session = await openSession(a)
    await eventually(async () => {
      const now = await phase(a, session)
      return now?._tag === "Placing" && now.waiting === "no runner is registered in this workspace"
    }, "it says that there is none")
    const runner = await register(a, workspaceId, { name: "late" })
    const { driver } = await scripted(runner, short)
    await connect(a, runner, { driver })
    await ended(a, session)
    const said = await events(a, session)
    const started = said.find((event) => event._tag === "AttemptStarted")!
    assert.strictEqual(started._tag === "AttemptStarted" ? started.runnerId : "", runner.runnerId)
    assert.strictEqual(said.filter((event) => event._tag === "ToolFinished").length, 2)
  })

  it("run through the node that holds the socket, whichever owns the session", async () => {
    await fresh()
    const runner = await register(b, workspaceId, { name: "far" })
    const { driver, notes } = await scripted(runner, short)
    const dialled = await connect(b, runner, { driver })
    const sessions: Array<SessionId> = []
    for (let n = 0; n < 8; n++) sessions.push(await openSession(n % 2 === 0 ? a : b))
    for (const session of sessions) await ended(a, session)
    assert.strictEqual(dialled.calls.filter((one) => one === "Run").length, 8)
    for (const session of sessions) {
      const done = (await events(a, session)).filter((event) => event._tag === "ToolFinished")
      assert.deepStrictEqual(
        done.map((event) => (event._tag === "ToolFinished" ? event.outcome : null)),
        ["succeeded", "succeeded"]
      )
    }
    assert.strictEqual(notes.filter(({ note }) => note._tag === "Effect").length, 16)
  })

  it("begin with the commit of their message, where their node holds the link of the runner that has their place", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "near" })
    const { driver } = await scripted(runner, short, { ...short, steps: [{ _tag: "Sandbox" }] })
    await connect(a, runner, { driver })
    let session = newId("Session") as SessionId
    while (!(await isOwnedBy(a, session))) session = newId("Session") as SessionId
    await openSession(a, {}, session)
    await ended(a, session)
    assert.strictEqual((await current(a, session)).sandbox?.runnerId, runner.runnerId)
    const isOneCommit = async () => {
      await send(a, session, { _tag: "Send", inputs: [message()] })
      await ended(a, session)
      const rows = await a.run(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql<{ readonly xid: string }>`
            SELECT xid::text FROM events WHERE stream_id = ${toUuid(session)!} AND type IN ('MessageReceived', 'AttemptStarted')
            ORDER BY seq DESC LIMIT 2`
        )
      )
      return rows[0]!.xid === rows[1]!.xid
    }
    await eventually(isOneCommit, "a turn begins at once", 60_000)
    const said = await events(a, session)
    const count = (tag: string) => said.filter(({ _tag }) => _tag === tag).length
    assert.strictEqual(count("AttemptStarted"), count("TurnCompleted"))
  })

  it("go on after their runner moved to another node, from the frame that was last committed", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "mover" })
    const { driver, notes } = await scripted(runner, { steps: [call, think(3_000), call], end: complete, deaf: false })
    const effects = () => notes.filter(({ note }) => note._tag === "Effect").length
    const first = await connect(a, runner, { driver })
    const sessions = [await openSession(a), await openSession(a), await openSession(b), await openSession(b)]
    await eventually(async () => effects() === 4, "each has done its first call")
    await first.cut()
    const second = await connect(b, runner, { driver })
    for (const session of sessions) await ended(b, session)
    assert.isTrue(second.calls.includes("Attach"))
    assert.isFalse(second.calls.includes("Run"))
    assert.strictEqual(effects(), 8)
  })

  it("settle what a runner has in its journal by what the log says", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "journal" })
    const { driver } = await scripted(runner, long)
    const first = await connect(a, runner, { driver })
    const session = await openSession(a)
    const stranger = newId("Attempt") as AttemptId
    await eventually(async () => (await phase(a, session))?._tag === "Working", "it works")
    const working = (await phase(a, session)) as { readonly attemptId: AttemptId }
    await first.cut()
    const journaled = (attemptId: AttemptId, sessionId: SessionId, still: boolean) => ({
      ...{ sessionId, attemptId, epoch: 1, frame: 1, acknowledged: 0, working: still }
    })
    const elsewhere = newId("Session") as SessionId
    const second = await connect(b, runner, {
      driver,
      hello: {
        attempts: [
          journaled(working.attemptId, session, true),
          journaled(stranger, session, true),
          journaled(newId("Attempt") as AttemptId, elsewhere, false)
        ]
      }
    })
    await eventually(async () => second.settled.length >= 3, "all are settled")
    const verdicts = new Map(second.settled.map(({ attemptId, verdict }) => [attemptId, verdict]))
    assert.strictEqual(verdicts.get(working.attemptId), "resume")
    assert.strictEqual(verdicts.get(stranger), "discard")
    assert.deepStrictEqual([...verdicts.values()].sort(), ["discard", "discard", "resume"])
    await eventually(async () => second.calls.includes("Attach"), "its owner attaches")
  })

  it("end at the runner too, where the owner could not say so: at a later greeting of the same link", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "unrevoked" })
    const { driver } = await scripted(runner, { ...long, deaf: true })
    let attempts: ReadonlyArray<{ sessionId: SessionId; attemptId: AttemptId }> = []
    const handlers: DialingRunnerOptions["handlers"] = {
      // The revocation is lost on its way.
      Revoke: () => Effect.never,
      Hello: () =>
        Effect.promise(async () => ({
          ...(await import("../support/DialingRunner.ts")).hello,
          attempts: attempts.map((one) => ({ ...one, epoch: 1, frame: 1, acknowledged: 0, working: true }))
        }))
    }
    const dialled = await dial({ gateway: a.gateway, credential: Redacted.make(runner.credential), driver, handlers })
    open.push(dialled)
    const session = await openSession(a)
    await eventually(async () => (await phase(a, session))?._tag === "Working", "it works")
    const { attemptId } = (await phase(a, session)) as { readonly attemptId: AttemptId }
    attempts = [{ sessionId: session, attemptId }]
    await send(a, session, {
      _tag: "Send",
      inputs: [{ _tag: "Interrupt", inputId: newId("Event") as EventId, threadId: null }]
    })
    await ended(a, session)
    await eventually(
      async () => dialled.settled.some((one) => one.attemptId === attemptId && one.verdict === "discard"),
      "it is discarded"
    )
  })

  it("leave no places behind: a runner that was away is told which sessions are no more, and no others", async () => {
    await fresh()
    const [live, gone] = [await openSession(a, { inputs: [] }), await openSession(a, { inputs: [] })]
    await send(a, gone, { _tag: "Delete" })
    const destroyed: Array<string> = []
    const runner = await register(a, workspaceId, { name: "back" })
    const handlers = {
      Places: () => Effect.succeed([live, gone, newId("Session")]),
      Destroy: ({ place }: { readonly place: { readonly sessionId: string } }) =>
        Effect.sync(() => void destroyed.push(place.sessionId))
    }
    await connect(a, runner, { handlers })
    await eventually(async () => destroyed.length === 1, "it is told of the one that was deleted")
    await a.run(purge(Date.now() + 60_000))
    await eventually(async () => destroyed.length >= 3, "it is told so also when the session's log is gone")
    assert.deepStrictEqual([...new Set(destroyed)], [gone])
  })

  it("fail where their conversation has outgrown what a runner takes, and the link goes on", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "big" })
    const { driver } = await scripted(runner, short)
    const dialled = await connect(a, runner, { driver })
    const item = (n: number) => ({
      type: "user",
      inputId: newId("Event"),
      from: null,
      content: text(`${n} ${"x".repeat(60_000)}`)
    })
    const session = newId("Session") as SessionId
    const base = { ...openCommand(random, session, workspaceId), budget: [], externalThreadKey: null }
    await send(a, session, { ...base, history: Array.from({ length: 15 }, (_, n) => item(n)), inputs: [] } as never)
    await send(a, session, { _tag: "Pause" })
    for (let n = 0; n < 14; n++) {
      const inputs = [
        { _tag: "SystemMessage" as const, inputId: newId("Event") as EventId, content: text("y".repeat(900_000)) }
      ]
      await send(a, session, { _tag: "Send", inputs })
    }
    await send(a, session, { _tag: "Send", inputs: [message()] })
    await send(a, session, { _tag: "Resume" })
    await eventually(
      async () => (await events(a, session)).some((event) => event._tag === "TurnFailed"),
      "it fails",
      60_000
    )
    const failed = (await events(a, session)).find((event) => event._tag === "TurnFailed")!
    assert.strictEqual(failed._tag === "TurnFailed" && failed.error.code, "history_too_large")
    assert.isFalse(dialled.calls.includes("Run"))
    const small = await openSession(a)
    await ended(a, small)
  })

  it("are not disturbed by a reader that looks away", async () => {
    await fresh()
    const runner = await register(a, workspaceId, { name: "torrent" })
    const { driver } = await scripted(runner, short)
    let sent = 0
    const torrent = Stream.range(1, 5_000).pipe(
      Stream.rechunk(1),
      Stream.map((n) => {
        sent = n
        return { _tag: "Output", stream: "stdout", bytes: new Uint8Array(16_384) } as const
      })
    )
    const dialled = await connect(a, runner, { driver, handlers: { Exec: () => torrent } })
    const session = await openSession(a)
    await ended(a, session)
    const where = { workspaceId, sessionId: session, runnerId: runner.runnerId }
    const exec = { command: ["yes"], cwd: null, variables: {}, timeoutMs: null, input: null } as const
    for (const node of [a, b]) {
      sent = 0
      const over = Promise.withResolvers<void>()
      const looksAway = node.run(
        Effect.flatMap(Workplaces, (workplaces) =>
          workplaces.stream(where, "Exec", exec as never).pipe(
            Stream.mapEffect(() => Effect.never),
            Stream.runDrain,
            Effect.raceFirst(Effect.promise(() => over.promise))
          )
        )
      )
      await eventually(async () => sent > 0, "it flows")
      const pings = dialled.calls.filter((one) => one === "Ping").length
      const meanwhile = await openSession(node)
      await ended(node, meanwhile)
      await eventually(async () => dialled.calls.filter((one) => one === "Ping").length > pings + 3, "pings go on")
      assert.isBelow(sent, 200)
      over.resolve()
      await looksAway
    }
  })
})
