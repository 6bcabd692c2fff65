import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { AgentId, toUuid } from "@troupe/domain/Ids"
import { Effect, Option } from "effect"
import { prng } from "../../../../test/support/Prng.ts"
import { EventStore } from "../../src/log/EventStore.ts"
import { LogFormat } from "../../src/log/LogFormat.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { plainMessage } from "../support/CommandGenerator.ts"
import { writeSession } from "../support/writeSession.ts"
import { type Body, eventsOf, type OwnWorld, startOwn } from "./ownWorld.ts"

describe("a log that this release can't read, over HTTP", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  /** As a newer release, or a broken disk, would have left it: no guard of ours is asked. */
  const spoil = (id: string, seq: number, change: string) => {
    const [table, rows] = ["ALTER TABLE events", `WHERE stream_id = '${toUuid(id)}' AND seq = ${seq}`]
    const statements = [
      `${table} DISABLE TRIGGER events_written_once`,
      `UPDATE events SET ${change} ${rows}`,
      `${table} ENABLE ALWAYS TRIGGER events_written_once`,
      // Whoever has it in memory finds out at the next append, and reads it again.
      `UPDATE heads SET epoch = epoch + 1 WHERE stream_id = '${toUuid(id)}'`
    ]
    return Effect.gen(function* () {
      const connection = yield* PgConnection.make({ url: world.database.superuserUrl, prepare: false })
      for (const statement of statements) yield* connection.query(statement)
    }).pipe(Effect.scoped, Effect.runPromise)
  }

  const said = async () => {
    const id = await world.open({ title: "spoilt" })
    await world.say(id, "one")
    await world.until(id, "idle")
    return { id, log: await world.log(id) }
  }

  /** One that no node has folded, and in which a message waits for its turn to go on. */
  const begun = () =>
    world.node.run(
      Effect.gen(function* () {
        const workspaceId = yield* (yield* Workspaces).first
        return yield* writeSession(workspaceId, AgentId.make(world.agentId), [plainMessage(prng(1))])
      })
    )

  const message = { type: "user.message", content: [{ type: "text", text: "two" }] }
  const seqOf = (log: ReadonlyArray<Body>, type: string): number => log.find((event) => event.type === type)!.seq

  it.each([
    ["of a newer release's type", "type = 'FromTheFuture'"],
    ["in a newer release's shape", "version = 99"]
  ])("is shown with what stands before an event %s, and takes nothing", async (_, change) => {
    const id = await begun()
    const log = await world.log(id)
    const seq = seqOf(log, "MessageTaken")
    await spoil(id, seq, change)
    const of = (path: string) => world.get(`/v1/sessions/${id}${path}`)
    assert.strictEqual((await of("")).body.status, "running")
    assert.lengthOf(await world.log(id), log.length)
    const shown = await of("/events")
    assert.deepStrictEqual(
      [shown.status, shown.body.data.map(({ type }: Body) => type)],
      [200, ["session.status_running", "session.thread_status_running"]]
    )
    assert.strictEqual((await of(`/state?at=${seq - 1}`)).status, 200)
    for (const refused of [await of("/state"), await world.post(`/v1/sessions/${id}/events`, { events: [message] })]) {
      assert.deepStrictEqual([refused.status, refused.body.error?.details], [400, { error_code: "log_unreadable" }])
      assert.match(refused.body.error.message, new RegExp(`can't be read at ${seq}\\b`))
    }
    for (const path of [
      "/turns",
      "/approvals",
      "/questions",
      "/threads",
      "/resources",
      "/export",
      "/output",
      "/why/1"
    ]) {
      const { status } = await world.fetch(`/v1/sessions/${id}${path}`)
      assert.isBelow(status, 500, path)
    }
    const proof = (await of("/verify?level=1")).body
    assert.isFalse(proof.ok)
    assert.include(proof.unreadable, `Event ${seq} `)
    assert.lengthOf(await world.log(id), log.length)
  })

  it.each([
    ["lost its fields", "payload = '{}'"],
    ["says another word", `payload = replace(payload::text, '"text":"', '"text":"not ')::json`],
    ["commits to something else", "commitment = sha256(commitment)"],
    ["says that its content was taken out, and has no shape", "salt = NULL, payload = '{}'"]
  ])("takes nothing more where an event %s", async (_, change) => {
    const id = await begun()
    const seq = seqOf(await world.log(id), "MessageReceived")
    const head = () => world.node.run(Effect.flatMap(EventStore, (store) => store.head(id)))
    const { chain, lastRecordedAt, version } = Option.getOrThrow(await head())
    await spoil(id, seq, change)
    const of = (path: string) => world.get(`/v1/sessions/${id}${path}`)
    for (const refused of [
      await world.post(`/v1/sessions/${id}/events`, { events: [message] }),
      await world.post(`/v1/sessions/${id}`, { title: "another" }),
      await of("/state")
    ]) {
      assert.deepStrictEqual([refused.status, refused.body.error?.details], [400, { error_code: "log_unreadable" }])
      assert.match(refused.body.error.message, new RegExp(`can't be read at ${seq}\\b`))
    }
    assert.strictEqual((await of(`/state?at=${seq - 1}`)).status, 200)
    assert.deepInclude(Option.getOrThrow(await head()), { chain, lastRecordedAt, version })
    assert.isFalse((await of("/verify?level=1")).body.ok)
  })

  it("is shown without events that lost their fields, and keeps no other session from being found", async () => {
    const { id, log } = await said()
    for (const type of ["MessageReceived", "MessageTaken"]) await spoil(id, seqOf(log, type), "payload = '{}'")
    const shown = (await world.get(`/v1/sessions/${id}/events`)).body.data.map(({ type }: Body) => type)
    assert.include(shown, "agent.message")
    const response = await world.fetch(`/v1/sessions/${id}/log/stream?after=0`)
    let last = 0
    for await (const { data } of eventsOf(response)) if ((last = data.seq) === log.length) break
    assert.strictEqual(last, log.length)
    assert.isFalse((await world.get(`/v1/sessions/${id}/verify?level=1`)).body.ok)

    const unbegun = await begun()
    await spoil(unbegun, 1, "payload = '{}'")
    const fine = await world.open({ title: "a needle" })
    const listed = (await world.get("/v1/sessions?limit=100")).body.data.map((one: Body) => one.id)
    assert.include(listed, fine)
    const refused = await world.get(`/v1/sessions/${unbegun}`)
    assert.deepStrictEqual([refused.status, refused.body.error.details], [400, { error_code: "log_unreadable" }])
    assert.include(refused.body.error.message, "can't be read at 1")
    // The table that searches look into is made from all logs, in one order.
    let found: ReadonlyArray<Body> = []
    while (found.length === 0) found = (await world.get("/v1/search?q=needle")).body.data
    assert.strictEqual(found[0].session_id ?? found[0].session?.id, fine)
  })

  it("names nobody in the place of an actor that can't be read", async () => {
    const id = await begun()
    const log = await world.log(id)
    await spoil(id, 1, "actor = '{'")
    for (const path of ["/log", "/why/1"]) {
      const { body, status } = await world.get(`/v1/sessions/${id}${path}`)
      assert.deepStrictEqual([status, body.error?.details], [400, { error_code: "log_unreadable" }], path)
      assert.include(body.error.message, "can't be read at 1:")
    }
    assert.lengthOf((await world.get(`/v1/sessions/${id}/log?after=1`)).body.data, log.length - 1)
  })

  it("is not made by what an older node could not read: that is refused for the time being, and leaves nothing", async () => {
    const format: { current: () => number } = await world.node.run(LogFormat)
    const { current } = format
    const made = { name: "not yet", model: "demo" }
    const names = async () => (await world.get("/v1/agents?limit=100")).body.data.map(({ name }: Body) => name)
    const make = () =>
      world.fetch("/v1/agents", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": "not-yet" },
        body: JSON.stringify(made)
      })
    const before = await names()
    format.current = () => 0
    const refused = await make().finally(() => {
      format.current = current
    })
    const { error, type } = (await refused.json()) as Body
    assert.deepStrictEqual([refused.status, type, error.type], [503, "error", "api_error"])
    assert.match(error.message, /every node to be of the newer release/)
    assert.strictEqual(refused.headers.get("retry-after"), "5")
    assert.deepStrictEqual(await names(), before)
    const again = await make()
    assert.deepStrictEqual([again.status, ((await again.json()) as Body).name], [200, made.name])
  })
})
