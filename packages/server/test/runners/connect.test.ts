import { system } from "@troupe/domain/Actor"
import type { RunnerId, SessionId, TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Redacted, Scope, Stream } from "effect"
import { negotiate, spoken, type Versions } from "@troupe/domain/runner/Protocol"
import { RunnerLinks } from "../../src/runners/RunnerLinks.ts"
import { RunnerRegistry } from "../../src/runners/RunnerRegistry.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { dial, type Dialled, type DialingRunnerOptions } from "../support/DialingRunner.ts"
import { newId } from "../support/LogWriter.ts"
import { eventually } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { register, type Registered, startNode, type TestNode } from "../support/TestNode.ts"

const streams = ["Exec", "ReadTerminal", "ReadFile", "WatchFiles"] as const
const placeOf = (workspaceId: WorkspaceId) => ({
  sessionId: newId("Session") as SessionId,
  workspaceId,
  epoch: 1,
  ticket: "t"
})

describe("a runner that dials in", { timeout: 120_000 }, () => {
  const scope = Scope.makeUnsafe()
  let node: TestNode
  let workspaceId: WorkspaceId
  let appUrl: Redacted.Redacted
  const open: Array<Dialled> = []

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    appUrl = database.appUrl
    node = await startNode(database, { pingEveryMs: 200, pongWithinMs: 1_000 }, undefined, { contactLeaseMs: 45_000 })
    workspaceId = await node.run(Effect.flatMap(Workspaces, ({ first }) => first))
  }, 120_000)

  afterAll(async () => {
    for (const one of open) await one.cut()
    await node?.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const connect = async (runner: Registered, more: Partial<DialingRunnerOptions> = {}) => {
    const dialled = await dial({ gateway: node.gateway, credential: Redacted.make(runner.credential), ...more })
    open.push(dialled)
    return dialled
  }

  const known = async (runnerId: string) =>
    Option.getOrThrow(await node.run(Effect.flatMap(RunnerRegistry, (registry) => registry.find(runnerId))))

  it("is greeted, registered, settled and asked for its asks, in that order", async () => {
    const runner = await register(node, workspaceId, { name: "first", labels: ["gpu"] })
    const dialled = await connect(runner, { hello: { labels: ["own"] } })
    assert.strictEqual(await dialled.greeted, 1)
    await eventually(async () => dialled.calls.includes("Asks"), "the node asks for asks")
    assert.strictEqual(dialled.calls[0], "Hello")
    assert.deepStrictEqual(dialled.leases, [45_000])
    const database = new URL(Redacted.value(appUrl))
    assert.includeMembers(
      [...dialled.ours],
      [new URL(node.gateway).host, node.address, `${database.hostname}:${database.port}`]
    )
    const row = await known(runner.runnerId)
    assert.strictEqual(row.node, node.address)
    assert.deepStrictEqual([row.generation, row.labels, row.hello?.labels], [1, ["gpu"], ["own"]])
    await dialled.cut()
    await eventually(async () => (await known(runner.runnerId)).node === null, "the row says that it is gone")
  })

  it("is replaced by its own newer connection, whose place the older one's end leaves alone", async () => {
    const runner = await register(node, workspaceId, { name: "twice" })
    const older = await connect(runner)
    assert.strictEqual(await older.greeted, 1)
    await eventually(async () => (await known(runner.runnerId)).node !== null, "the first is registered")
    const newer = await connect(runner)
    assert.strictEqual(await newer.greeted, 2)
    assert.strictEqual((await older.ended).code, 4409)
    await older.cut()
    await eventually(async () => newer.calls.filter((call) => call === "Ping").length > 3, "the newer one goes on")
    const row = await known(runner.runnerId)
    assert.deepStrictEqual([row.generation, row.node], [2, node.address])
  })

  /** Calls of every kind that go on for as long as the runner is there: how each of them ends. */
  const underWay = (runner: Registered) =>
    node.run(
      Effect.gen(function* () {
        const { connection } = (yield* RunnerLinks).get(runner.runnerId)!
        const payload = {
          place: placeOf(workspaceId),
          path: "a",
          terminalId: "t",
          after: 0,
          offset: 0,
          length: null
        } as never
        const exec = {
          place: placeOf(workspaceId),
          command: ["yes"],
          cwd: null,
          variables: {},
          timeoutMs: null,
          input: null
        }
        const ends = streams.map((tag) =>
          Stream.runDrain(connection.stream(runner.runnerId, tag, (tag === "Exec" ? exec : payload) as never))
        )
        const write = { place: placeOf(workspaceId), path: "a", content: new Uint8Array(1), expected: null }
        const errors = yield* Effect.forEach(
          [...ends, Effect.asVoid(connection.call(runner.runnerId, "WriteFile", write))],
          (one) => Effect.flip(one),
          { concurrency: "unbounded" }
        )
        return errors.map(({ _tag }) => _tag)
      })
    )

  it("is cut within five seconds of its credential being revoked, with all that is under way, and not let in again", async () => {
    const runner = await register(node, workspaceId, { name: "revoked" })
    const handlers = {
      ...Object.fromEntries(streams.map((tag) => [tag, () => Stream.never])),
      WriteFile: () => Effect.never
    }
    const dialled = await connect(runner, { handlers })
    await dialled.greeted
    const { tokenId } = await known(runner.runnerId)
    const other = await connect(await register(node, workspaceId, { name: "other" }))
    await other.greeted
    const cut = underWay(runner)
    await eventually(
      async () => [...streams, "WriteFile"].every((tag) => dialled.calls.includes(tag)),
      "all are under way"
    )
    const cutAt = dialled.ended.then(() => performance.now())
    await node.run(Effect.flatMap(Tokens, (tokens) => tokens.revoke(workspaceId, tokenId, system)))
    const committedAt = performance.now()
    assert.strictEqual((await dialled.ended).code, 4401)
    assert.deepStrictEqual([...new Set(await cut)], ["RunnerAway"])
    const tookMs = (await cutAt) - committedAt
    console.log(`cut ${Math.round(tookMs)} ms after it was revoked`)
    assert.isBelow(tookMs, 5_000)
    const again = await connect(runner)
    assert.notStrictEqual((await again.ended).code, 1000)
    await eventually(async () => other.calls.filter((call) => call === "Ping").length > 5, "the other goes on")
  })

  it("is cut with its registration token, if that is asked for", async () => {
    const runner = await register(node, workspaceId, { name: "child" })
    const dialled = await connect(runner)
    await dialled.greeted
    const cut = await node.run(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const { tokenId } = yield* Effect.promise(() => known(runner.runnerId))
        const { parentId } = (yield* tokens.list(workspaceId)).find((one) => one.tokenId === tokenId)!
        return yield* tokens.revoke(workspaceId, parentId as TokenId, system, { children: true })
      })
    )
    assert.strictEqual(cut, 2)
    assert.strictEqual((await dialled.ended).code, 4401)
  })

  it("is served without what it does not know where it speaks one version back", async () => {
    const runner = await register(node, workspaceId, { name: "one back" })
    const dialled = await connect(runner, { hello: { version: spoken.min } })
    await dialled.greeted
    await eventually(async () => dialled.calls.filter((call) => call === "Ping").length > 3, "it is served")
    const asked = node.run(
      Effect.gen(function* () {
        const { connection } = (yield* RunnerLinks).get(runner.runnerId)!
        return yield* Effect.flip(connection.call(runner.runnerId, "Places", undefined))
      })
    )
    assert.match((await asked).message, /speaks version 1 of the protocol, which has no Places: update it$/)
    assert.notInclude(dialled.calls, "Places")
    const newer = await connect(await register(node, workspaceId, { name: "of today" }))
    await eventually(async () => newer.calls.includes("Places"), "another is asked")
  })

  it("is closed with 4406 where it speaks no version of ours, and told who is to be updated", async () => {
    const runner = await register(node, workspaceId, { name: "old" })
    for (const [version, advice] of [
      [spoken.min - 1, "the runner version 0: update the runner"],
      [spoken.max + 1, "the runner version 3: update the node"]
    ] as const) {
      const dialled = await connect(runner, { hello: { version } })
      const { code, reason } = await dialled.ended
      assert.deepStrictEqual([code, reason], [4406, `the node speaks versions 1 to 2 of the protocol, ${advice}`])
      assert.isNull((await known(runner.runnerId)).node)
    }
    const refusing = await connect(runner, {
      handlers: {
        Hello: ({ versions }: { readonly versions: Versions }) =>
          Effect.fromResult(negotiate(versions, { min: 3, max: 4 }))
      }
    })
    assert.match((await refusing.ended).reason, /the runner versions 3 to 4: update the node$/)
  })

  it("is closed when it sends what is no message, and nobody else notices", async () => {
    const runner = await register(node, workspaceId, { name: "garbage" })
    const bystander = await connect(await register(node, workspaceId, { name: "bystander" }))
    const tooLarge = new Uint8Array(17 * 1_048_576)
    for (const bytes of ["not a message", new Uint8Array(4_096).fill(0xa5), tooLarge]) {
      const dialled = await connect(runner)
      await dialled.greeted
      await dialled.send(bytes)
      const { code } = await dialled.ended
      assert.include([4400, 1009], code)
    }
    const pings = bystander.calls.length
    await eventually(async () => bystander.calls.length > pings + 3, "the bystander goes on")
  })

  it("is closed when it answers no ping", async () => {
    const runner = await register(node, workspaceId, { name: "mute" })
    const dialled = await connect(runner, { handlers: { Ping: () => Effect.never } })
    assert.strictEqual((await dialled.ended).code, 4408)
    await eventually(async () => (await known(runner.runnerId)).node === null, "the row says that it is gone")
  })

  it("is told to drain, once, when an operator wants it to", async () => {
    const runner = await register(node, workspaceId, { name: "drained" })
    const dialled = await connect(runner)
    await dialled.greeted
    const set = (drained: boolean) =>
      node.run(
        Effect.flatMap(RunnerRegistry, (registry) =>
          registry.setDrained(workspaceId, runner.runnerId as RunnerId, drained, system)
        )
      )
    assert.isTrue(await set(true))
    await eventually(async () => dialled.calls.includes("Drain"), "it is told")
    const pings = dialled.calls.length
    await eventually(async () => dialled.calls.length > pings + 20, "time passes")
    assert.strictEqual(dialled.calls.filter((call) => call === "Drain").length, 1)
    assert.isTrue((await known(runner.runnerId)).drained)
  })

  it("is told that the node stops", async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    const own = await startNode(database)
    const first = await own.run(Effect.flatMap(Workspaces, (workspaces) => workspaces.first))
    const runner = await register(own, first, { name: "left" })
    const dialled = await connect(runner, { gateway: own.gateway })
    await dialled.greeted
    await own.end()
    assert.strictEqual((await dialled.ended).code, 1012)
  })
})
