import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { system } from "@troupe/domain/Actor"
import { toUuid } from "@troupe/domain/Ids"
import { Effect, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { createHash } from "node:crypto"
import { sweepBlobs } from "../../src/purge/BlobSweep.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { plays, think, tool } from "../gateway/gatewayWorld.ts"
import { type Body, eventsOf, type OwnWorld, startOwn } from "../gateway/ownWorld.ts"

const secret = "swordfish"
const long = `${secret} `.repeat(20_000)
const dayMs = 86_400_000

describe("redactions over HTTP", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  const redact = (id: string, events: ReadonlyArray<string>, reason = "asked for") =>
    world.post(`/v1/sessions/${id}/redact`, { events, reason })

  /** The same until the content is gone: asked for again, it changes nothing. */
  const redacted = async (id: string, events: ReadonlyArray<string>): Promise<Body> => {
    let answer = await redact(id, events)
    while (answer.body.applied === false) answer = await redact(id, events)
    assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }

  const rows = (query: (sql: SqlClient.SqlClient) => Effect.Effect<ReadonlyArray<object>, unknown>) =>
    world.node.run(Effect.orDie(Effect.flatMap(SqlClient.SqlClient, query)))

  /** What a reader of the log gets from its beginning on, up to an event. */
  const readTo = async (id: string, last: number) => {
    const controller = new AbortController()
    const response = await world.fetch(`/v1/sessions/${id}/log/stream?after=0`, { signal: controller.signal })
    const seen: Array<string> = []
    for await (const { data } of eventsOf(response)) {
      seen.push(JSON.stringify(data))
      if (data.seq >= last) break
    }
    controller.abort()
    return seen.join("\n")
  }

  it("take what was said out of everything that shows it, and leave a log that proves itself", async () => {
    const id = await world.open({ title: `about ${secret}`, metadata: { word: secret } })
    // Watched from its beginning: a node keeps for its readers what came last.
    const controller = new AbortController()
    const watched = await world.fetch(`/v1/sessions/${id}/log/stream?after=0`, { signal: controller.signal })
    const said = [await world.say(id, `the word is ${secret}`), await world.say(id, long)]
    await world.until(id, "idle")
    const opened = (await world.log(id))[0]!.id
    const child = (await world.post(`/v1/sessions/${id}/fork`, {})).body.id
    assert.include(await readTo(id, 2), secret)

    const body = await redacted(id, [opened, ...said])
    assert.deepStrictEqual([body.type, body.applied, body.forks], ["session_redaction", true, [child]])
    assert.include(body.seqs, 1)

    const log = await world.log(id)
    assert.notInclude(JSON.stringify(log), secret)
    assert.notInclude(await readTo(id, log.length), secret)
    assert.notInclude(JSON.stringify((await world.get(`/v1/sessions/${id}/events`)).body), secret)
    const session = (await world.get(`/v1/sessions/${id}`)).body
    assert.deepStrictEqual([session.title, session.metadata], ["[redacted]", { word: "[redacted]" }])
    assert.notInclude(JSON.stringify((await world.get(`/v1/sessions/${id}/state`)).body), secret)
    const kept = await rows(
      (sql) => sql`
        SELECT state AS text FROM snapshots WHERE stream_id = ${toUuid(id)!}
        UNION ALL SELECT to_json(s)::text FROM sessions s WHERE session_id = ${toUuid(id)!}
        UNION ALL SELECT concat(payload::text, command_body) FROM events WHERE stream_id = ${toUuid(id)!}`
    )
    assert.notInclude(JSON.stringify(kept), secret)
    const proof = (await world.get(`/v1/sessions/${id}/verify?level=1`)).body
    assert.deepStrictEqual([proof.ok, proof.chain.redacted >= body.seqs.length], [true, true], JSON.stringify(proof))

    const blobs = () =>
      rows((sql) => sql`SELECT sha256 FROM blobs WHERE sha256 = ${createHash("sha256").update(long).digest()}`)
    assert.lengthOf(await blobs(), 1)
    await world.node.run(sweepBlobs(Date.now() + 2 * dayMs))
    assert.lengthOf(await blobs(), 1, "the fork has a copy of its own")
    const copied = (await world.log(child)).find(({ type }: Body) => type === "HistoryCopied")!
    const first = (await world.log(child))[0]!.id
    await redacted(child, [first, copied.id])
    await world.node.run(sweepBlobs(Date.now() + 4 * dayMs))
    assert.lengthOf(await blobs(), 0)

    assert.deepStrictEqual(await redacted(id, [opened, ...said]), body, "asked for again, it changes nothing")
    assert.strictEqual((await world.log(id)).length, log.length)
    await world.say(id, "go on")
    await world.until(id, "idle")
    controller.abort()
    await watched.body?.cancel().catch(() => undefined)
  })

  it("of an answer, a call and a sub-agent take out what was asked and what came of it", async () => {
    const id = await world.open()
    world.script(plays(think(), tool("read"), { _tag: "Subagent", ms: 1, ends: true }))
    await world.say(id, "one")
    await world.until(id, "idle")
    const log = await world.log(id)
    const of = (wanted: string) => log.find(({ type }: Body) => type === wanted)!
    const block = of("MessageBlock")
    const events = [block, of("ToolRequested"), of("ToolFinished"), of("SubagentStarted"), of("SubagentEnded")]
    const body = await redacted(id, [
      ...[block.payload.blockId, events[1]!.payload.callId, events[3]!.payload.subagentId]
    ])
    assert.deepStrictEqual(
      [body.seqs, body.applied, body.forks],
      [events.map(({ seq }) => seq).toSorted((a, b) => a - b), true, []]
    )
    const shown = (await world.get(`/v1/sessions/${id}/events`)).body.data
    const answer = shown.find((event: Body) => event.id === block.payload.blockId)
    assert.deepStrictEqual(answer.content, [{ type: "redacted" }])
    assert.notMatch(JSON.stringify(await world.log(id)), /"(help|helped)"/)
  })

  it("are refused where nothing goes by that id, without a reason, and with a key that may only write", async () => {
    const id = await world.open()
    const before = (await world.log(id)).length
    const unknown = await redact(id, [`sevt_01${"1".repeat(22)}`])
    assert.deepStrictEqual([unknown.status, unknown.body.error.type], [404, "not_found_error"])
    assert.strictEqual((await redact(id, [])).status, 400)
    assert.strictEqual((await redact(id, ["x"], "")).status, 400)
    const key = await world.node.run(
      Effect.gen(function* () {
        const workspaceId = yield* (yield* Workspaces).first
        const named = { workspaceId, kind: "api_key" as const, name: "k", labels: [], scopes: ["write"] }
        return Redacted.value((yield* (yield* Tokens).create(named, system)).secret)
      })
    )
    const opened = (await world.log(id))[0]!.id
    const refused = await world.post(
      `/v1/sessions/${id}/redact`,
      { events: [opened], reason: "asked for" },
      { "x-api-key": key }
    )
    assert.deepStrictEqual([refused.status, refused.body.error.type], [403, "permission_error"])
    assert.strictEqual((await world.log(id)).length, before)
  })
})
