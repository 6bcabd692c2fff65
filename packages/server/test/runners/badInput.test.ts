import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { system } from "@troupe/domain/Actor"
import type { AttemptId, EventId, RunnerId, SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import * as Codec from "@troupe/domain/session/Codec"
import { Context, Effect, Exit, Logger, Redacted, References, Result, Scope, Stream } from "effect"
import { prng } from "../../../../test/support/Prng.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { apiKey } from "../support/apiKey.ts"
import { allEvents } from "../support/allEvents.ts"
import { commandOf, openCommand, plainMessage } from "../support/CommandGenerator.ts"
import { dial, type Dialled, type DialingRunnerOptions, harness } from "../support/DialingRunner.ts"
import { newId } from "../support/LogWriter.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"
import { eventually } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { postRegistration, register, type Registered, startNode, type TestNode } from "../support/TestNode.ts"

const random = prng(11)
const said = (n: number, body: object) => ({ n, at: 0, body })
const title = said(1, { _tag: "TitleSuggested", title: "t" })
const done = (n: number) => said(n, { _tag: "Completed", stop: "end_turn", details: null })
const frames = (...some: ReadonlyArray<object>) => Stream.make({ _tag: "Frames", frames: some })

describe("what runners must not say", { timeout: 180_000 }, () => {
  const scope = Scope.makeUnsafe()
  const logged: Array<string> = []
  let node: TestNode
  let bystander: { readonly session: SessionId; readonly dialled: Dialled }
  const open: Array<Dialled> = []

  const listen = Logger.make(({ fiber, message }) => {
    logged.push(`${String(message)} ${JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))}`)
  })

  const workspace = () => node.run(Effect.flatMap(Workspaces, ({ create }) => create("test", system)))

  const connect = async (runner: Registered, more: Partial<DialingRunnerOptions>) => {
    const dialled = await dial({ gateway: node.gateway, credential: Redacted.make(runner.credential), ...more })
    open.push(dialled)
    return dialled
  }

  const openSession = async (workspaceId: WorkspaceId, more: object = {}): Promise<SessionId> => {
    const session = newId("Session") as SessionId
    const plain = { budget: [], history: [], externalThreadKey: null, inputs: [plainMessage(random)] }
    const body = { ...openCommand(random, session, workspaceId), ...plain, ...more }
    await node.run(
      Effect.flatMap(Sessions, ({ handle }) => handle(session, commandOf(random, Date.now(), body as never)))
    )
    return session
  }

  const events = async (session: SessionId): Promise<ReadonlyArray<SessionEvent>> =>
    (await node.run(allEvents(session))).map((one) => Result.getOrThrow(Codec.decodeFast(one)))

  const until = async <Tag extends SessionEvent["_tag"]>(session: SessionId, tag: Tag) => {
    const is = (event: SessionEvent): event is Extract<SessionEvent, { readonly _tag: Tag }> => event._tag === tag
    await eventually(async () => (await events(session)).some(is), `${session} has ${tag}`, 60_000)
    return (await events(session)).find(is)!
  }

  /** A runner that is alone in a workspace, and says this of the first attempt that it is given. */
  const saying = async (run: () => Stream.Stream<object>, handlers: DialingRunnerOptions["handlers"] = {}) => {
    const workspaceId = await workspace()
    const runner = await register(node, workspaceId, { name: "liar" })
    const dialled = await connect(runner, {
      handlers: { Run: run, Acknowledge: () => Effect.void, Revoke: () => Effect.void, ...handlers }
    })
    await dialled.greeted
    return { runner, dialled, session: await openSession(workspaceId) }
  }

  /** It is on record with all its names, and who has nothing to do with it goes on. */
  const holds = async (words: RegExp, ...ids: ReadonlyArray<string>) => {
    await eventually(
      async () => logged.some((line) => words.test(line) && ids.every((id) => line.includes(id))),
      `${words} is logged with ${ids.join(", ")}: ${logged.slice(-3).join("\n")}`
    )
    const pings = bystander.dialled.calls.filter((call) => call === "Ping").length
    await eventually(
      async () => bystander.dialled.calls.filter((call) => call === "Ping").length > pings + 1,
      "the bystander's link goes on"
    )
    assert.notInclude(
      (await events(bystander.session)).map(({ _tag }) => _tag),
      "AttemptLost"
    )
  }

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    const references = Context.empty().pipe(
      Context.add(Logger.CurrentLoggers, new Set([listen])),
      Context.add(References.MinimumLogLevel, "Info")
    )
    node = await startNode(database, { pingEveryMs: 200, pongWithinMs: 10_000 }, undefined, {}, references)
    const workspaceId = await workspace()
    const runner = await register(node, workspaceId, { name: "bystander" })
    const made = ScriptedRunner.make({
      random,
      runnerId: runner.runnerId as RunnerId,
      script: () => ({
        steps: [{ _tag: "Think", ms: 3_600_000, deltas: 2, tokens: 10 }],
        end: { _tag: "Complete", stop: "end_turn" },
        deaf: false
      })
    })
    const { driver } = await Effect.runPromise(Effect.provideService(made, Scope.Scope, scope))
    const dialled = await connect(runner, { driver })
    await dialled.greeted
    bystander = { dialled, session: await openSession(workspaceId) }
    await until(bystander.session, "ModelRequestStarted")
  }, 120_000)

  afterAll(async () => {
    for (const one of open) await one.cut()
    await node?.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it("frames out of order: they are asked for again, and nothing is lost", async () => {
    const { dialled, runner, session } = await saying(() => frames(done(2)), { Attach: () => frames(title, done(2)) })
    await until(session, "TurnCompleted")
    const { attemptId } = await until(session, "AttemptStarted")
    await holds(/Frames of an attempt are missing.*"frame":2,"committed":0/, session, attemptId, runner.runnerId)
    assert.include(dialled.calls, "Attach")
    assert.strictEqual((await events(session)).filter(({ _tag }) => _tag === "AttemptStarted").length, 1)
  })

  it("frames of a call that is another session's: the attempt is given up, and its runner told", async () => {
    const callId = newId("Event") as EventId
    const { dialled, runner, session } = await saying(() => frames(said(1, { _tag: "ToolStarted", callId, at: 0 })))
    const { attemptId, reason } = await until(session, "AttemptLost")
    assert.strictEqual(reason, `frame 1: there is no open call ${callId}`)
    await eventually(async () => dialled.calls.includes("Revoke"), "its runner is told")
    await holds(/An attempt was given up/, session, attemptId, runner.runnerId, reason)
  })

  it("messages that are too large: the link ends, and no other", async () => {
    const large = { _tag: "TitleSuggested", title: "x".repeat(17 * 1_048_576) }
    const { dialled, runner } = await saying(() => frames(said(1, large)))
    assert.include([1009, 4400], (await dialled.ended).code)
    await holds(/A runner's connection ended/, runner.runnerId)
  })

  it("frames that no log can hold: the attempt is given up", async () => {
    const large = {
      _tag: "Noted",
      event: { _tag: "PlatformNoted", code: "a", message: "x".repeat(4 * 1_048_576), details: {} }
    }
    const { runner, session } = await saying(() => frames(said(1, large)))
    const { attemptId } = await until(session, "AttemptLost")
    await holds(/An attempt was given up/, session, attemptId, runner.runnerId)
  })

  it("asks, outputs and blobs of a session that another runner has since: they are refused", async () => {
    const workspaceId = await workspace()
    const moves = Promise.withResolvers<void>()
    const given = Promise.withResolvers<{ attemptId: AttemptId; threadId: ThreadId; ticket: string }>()
    const nothing = () => Effect.void
    const first = await register(node, workspaceId, { name: "first" })
    let full = 0
    const old = await connect(first, {
      hello: { capacity: { attempts: 1, sessions: 1 } },
      handlers: {
        Acknowledge: nothing,
        Revoke: nothing,
        Ping: () => Effect.succeed({ attempts: full, sessions: full, draining: false }),
        Run: (request: never) => {
          full = 1
          given.resolve(request)
          const lie = said(1, { _tag: "ToolStarted", callId: newId("Event"), at: 0 })
          return Stream.concat(Stream.drain(Stream.fromEffect(Effect.promise(() => moves.promise))), frames(lie))
        }
      }
    })
    await old.greeted
    const session = await openSession(workspaceId)
    const { attemptId, threadId, ticket } = await given.promise

    let asks = 0
    const asked = async (body: object) => {
      const askId = `ask ${asks++}`
      old.ask({ askId, sessionId: session, threadId, attemptId, ticket, body } as never)
      await eventually(async () => old.answers.has(askId), "it is answered")
      const answer = old.answers.get(askId)!
      return answer._tag === "Refused" ? answer.error.code : answer._tag
    }
    const sha256 = "0".repeat(64)
    const http = async (path: string, body: object) => {
      const response = await fetch(`${node.gateway}/v1/runners/${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${first.credential}`, "x-troupe-ticket": ticket },
        body: JSON.stringify(body)
      })
      return [response.status, ((await response.json()) as { error?: { type: string } }).error?.type]
    }
    const all = async () => [
      await asked({ _tag: "RefreshSecret", name: "model/none", version: 1 }),
      await asked({ _tag: "PlatformCall", callId: newId("Event"), tool: "none", input: {} }),
      await http("outputs", { path: "a", sha256 }),
      await http("blobs/missing", { sha256: [sha256] })
    ]
    assert.deepStrictEqual(await all(), [
      "unknown_secret",
      "unknown_platform_tool",
      [404, "not_found_error"],
      [200, undefined]
    ])

    const second = await register(node, workspaceId, { name: "second" })
    const run = () => Stream.never
    const heir = await connect(second, { handlers: { Run: run, Acknowledge: nothing, Revoke: nothing } })
    await heir.greeted
    const pings = old.calls.filter((call) => call === "Ping").length
    await eventually(
      async () => old.calls.filter((call) => call === "Ping").length > pings + 1 && heir.calls.includes("Ping"),
      "both have said how busy they are"
    )
    moves.resolve()
    await until(session, "AttemptLost")
    await eventually(async () => heir.calls.includes("Run"), "the other one has it")
    const refused = [403, "permission_error"]
    await eventually(async () => (await http("blobs/missing", { sha256: [] }))[0] === 403, "what was believed is over")
    assert.deepStrictEqual(await all(), ["not_assigned", "not_assigned", refused, refused])
    await holds(/An ask of a runner was refused .*RefreshSecret/, session, attemptId, first.runnerId)
    await holds(/An ask of a runner was refused .*PlatformCall/, session, attemptId, first.runnerId)
    await holds(/A runner was refused what is not of its sessions .*req_/, session, first.runnerId)
  })

  it("what can't be read: the call fails, the link goes on", async () => {
    const { dialled, runner, session } = await saying(() => frames({ n: "one", at: {}, body: null }))
    const { attemptId } = await until(session, "AttemptLost")
    await holds(/A runner broke on an attempt/, session, attemptId, runner.runnerId)
    const pings = dialled.calls.filter((call) => call === "Ping").length
    await eventually(async () => dialled.calls.filter((call) => call === "Ping").length > pings, "its link goes on")
  })

  it("capabilities that nobody knows: they are kept, and nothing is placed by them that needs another", async () => {
    const workspaceId = await workspace()
    const runner = await register(node, workspaceId, { name: "dreamer" })
    const odd = { harnesses: [harness("levitation")], sandboxes: [harness("moon")], defaultSandbox: "sun" }
    await (
      await connect(runner, { hello: odd })
    ).greeted
    const session = await openSession(workspaceId)
    const { reason } = await until(session, "TurnWaiting")
    assert.match(reason, /^no fitting runner has the harness .*dreamer: it has none$/)
  })

  it("requests that can't be meant: they are found by their number, and not what they held", async () => {
    const at = `${node.gateway}/v1/sessions/${bystander.session}`
    const headers = { "x-api-key": apiKey, "content-type": "application/json" }
    const bad = [
      await fetch(`${at}/files?path=a%00secret`, { headers }),
      await fetch(`${at}/exec`, { method: "POST", headers, body: JSON.stringify({ command: ["\0secret"] }) })
    ]
    for (const response of bad) {
      assert.strictEqual(response.status, 400)
      await holds(/A request was refused .*"status":400/, bystander.session, response.headers.get("request-id")!)
    }
    assert.notInclude(logged.join(), "secret")
  })

  it("tokens of another kind: they open nothing, and the refusal is found by its number", async () => {
    const runner = await register(node, await workspace(), { name: "confused" })
    const refused = await postRegistration(node.gateway, runner.credential, { name: "again" })
    assert.strictEqual(refused.status, 403)
    await holds(
      /A runner was not let in .*runner's credential, not a registration token/,
      refused.headers.get("request-id")!
    )
    const door = await fetch(`${node.gateway}/v1/runners/connect`, {
      headers: { authorization: "Bearer trp_run_nobody" }
    })
    assert.strictEqual(door.status, 401)
    await holds(/A runner was not let in .*The token is unknown/, door.headers.get("request-id")!)
  })
})
