import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { initial } from "@troupe/domain/session/SessionState"
import { toUuid } from "@troupe/domain/Ids"
import * as Bundle from "@troupe/domain/replay/Bundle"
import * as Fold from "@troupe/domain/replay/Fold"
import * as Codec from "@troupe/domain/session/Codec"
import * as Snapshot from "@troupe/domain/session/Snapshot"
import { Effect, JsonPatch, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { sha256 } from "../support/LogWriter.ts"
import { plays, think, tool } from "./gatewayWorld.ts"
import { type Body, type OwnWorld, startOwn } from "./ownWorld.ts"

describe("what sessions were, over HTTP", { timeout: 120_000 }, () => {
  let world: OwnWorld
  let id: string
  beforeAll(async () => {
    world = await startOwn()
    id = await world.open({ title: "parent", metadata: { a: "1" } })
    world.script(plays(think(), tool("effect"), { _tag: "Checkpoint" }, tool("effect"), think()), plays(think()))
    await world.say(id, "one")
    await world.until(id, "idle")
    await world.say(id, "two")
    await world.until(id, "idle")
  }, 120_000)
  afterAll(() => world?.end())

  const of = async (path: string) => (await world.get(`/v1/sessions/${id}${path}`)).body
  const fork = (body: object) => world.post(`/v1/sessions/${id}/fork`, body)

  it("are shown as they stood after any event", async () => {
    const log = await world.log(id)
    const events = log.map(({ payload, seq, type, version }) =>
      Result.getOrThrow(Codec.decodeStrict({ streamId: id, seq, type, version, payload: JSON.stringify(payload) }))
    )
    for (const seq of [0, 1, 5, log.length]) {
      const shown = await of(`/state?at=${seq}`)
      assert.deepStrictEqual([shown.seq, shown.state], [seq, Fold.toJson(Fold.stateAt(events, seq))])
    }
    assert.deepStrictEqual((await of("/state")).seq, log.length)
    assert.deepStrictEqual((await of("/state?at=0")).state, initial)
  })

  it("are told apart by patches that lead from one to the other", async () => {
    const end = (await of("/state")).seq
    for (const [from, to] of [
      [0, end],
      [3, 9],
      [end, 2],
      [4, 4]
    ] as const) {
      const { patch } = await of(`/diff?from=${from}&to=${to}`)
      const before = (await of(`/state?at=${from}`)).state
      assert.deepStrictEqual(JsonPatch.apply(patch, before), (await of(`/state?at=${to}`)).state)
    }
    assert.strictEqual((await of("/diff?from=1")).to, end)
  })

  it("are the same from a snapshot as from the beginning", async () => {
    const { seq, state } = await of("/state?at=6")
    const later = await of("/state")
    await world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`
          INSERT INTO snapshots (stream_id, fold_version, version, state)
          VALUES (${toUuid(id)!}, ${later.fold_version}, ${seq}, ${Snapshot.write(sha256, seq, state)})`
      })
    )
    assert.deepStrictEqual(await of("/state"), later)
    assert.deepStrictEqual((await of("/state?at=5")).seq, 5)
    assert.isTrue((await of("/verify?level=1")).ok)
    await world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const wrong = Snapshot.write(sha256, seq, { ...state, title: "another" })
        yield* sql`UPDATE snapshots SET state = ${wrong} WHERE stream_id = ${toUuid(id)!}`
      })
    )
    const found = await of("/verify?level=1")
    assert.deepStrictEqual([found.ok, found.chain.ok, found.projection.ok], [false, true, false])
    assert.strictEqual(found.projection.findings[0].type, "SnapshotDiffers")
    await world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`DELETE FROM snapshots WHERE stream_id = ${toUuid(id)!}`
      })
    )
  })

  it("say why each event came to be", async () => {
    const log = await world.log(id)
    const finished = log.find(({ type }) => type === "ToolFinished")!
    const why = await of(`/why/${finished.seq}`)
    assert.strictEqual(why.event_type, "ToolFinished")
    assert.isTrue(why.command.seqs.includes(finished.seq))
    assert.strictEqual(why.command.command_id, finished.causation_id)
    const links = why.causes.map(({ by }: Body) => by)
    assert.deepStrictEqual([links[0], links.at(-1)], ["call", "input"])
    assert.strictEqual(why.causes.at(-1).event_type, "MessageReceived")
  })

  it("are verified, on two levels", async () => {
    const log = await world.log(id)
    const chain = await of("/verify")
    assert.deepStrictEqual(
      [chain.ok, chain.level, chain.version, chain.chain.checked, chain.decisions],
      [true, 0, log.length, log.length, null]
    )
    const all = await of("/verify?level=1")
    assert.deepStrictEqual([all.ok, all.decisions.ok, all.projection.ok, all.unreadable], [true, true, true, null])
    assert.isAbove(all.decisions.accepted, 1)
  })

  const bundleOf = async (session: string) => {
    const response = await world.fetch(`/v1/sessions/${session}/export`)
    assert.strictEqual(response.headers.get("content-type"), "application/x-ndjson")
    return await response.text()
  }

  const verify = (text: string) => Bundle.verifyBundle(Result.getOrThrow(Bundle.readBundle(text.split("\n"))), sha256)

  it("are exported as bundles that prove themselves", async () => {
    await world.post(`/v1/sessions/${id}`, { budget: null })
    const text = await bundleOf(id)
    const report = verify(text)
    assert.isTrue(report.ok, JSON.stringify(report))
    assert.strictEqual(report.chain.checked, (await world.log(id)).length)
    assert.isAbove(report.decisions!.accepted, 1)
    const tampered = verify(text.replaceAll("one", "ONE"))
    assert.isFalse(tampered.ok)
  })

  it("answer in plain text", async () => {
    const text = async (query = "") => {
      const response = await world.fetch(`/v1/sessions/${id}/output${query}`)
      assert.match(response.headers.get("content-type")!, /^text\/plain/)
      return await response.text()
    }
    const blocks = (await world.log(id)).filter(({ type }) => type === "MessageBlock")
    const textOf = (block: Body) => block.payload.content.map((one: Body) => one.text).join("")
    const turns = [...new Set(blocks.map(({ payload }) => payload.turnId))]
    const last = (turn: string) => blocks.findLast(({ payload }) => payload.turnId === turn)!
    assert.strictEqual(turns.length, 2)
    assert.strictEqual(await text(), `${textOf(last(turns[1]!))}\n`)
    assert.strictEqual(await text(`?turn=${turns[0]}`), `${textOf(last(turns[0]!))}\n`)
    assert.strictEqual(await text("?all=true"), `${turns.map((turn) => textOf(last(turn))).join("\n\n")}\n`)
  })

  it("are forked after a turn, with the conversation and the working copy of there", async () => {
    const turns = (await of("/turns?order=asc")).data
    const { body, status } = await fork({ turn: turns[0].id, metadata: { b: "2" } })
    assert.strictEqual(status, 200, JSON.stringify(body))
    assert.deepStrictEqual([body.status, body.title, body.metadata], ["idle", "parent", { a: "1", b: "2" }])
    const [opened, copied] = await world.log(body.id)
    const log = await world.log(id)
    const captured = log.find(({ type }) => type === "WorkingCopyCaptured")!
    const calls = log.filter(({ seq, type }) => type === "ToolRequested" && seq > captured.seq)
    assert.deepStrictEqual(opened!.payload.origin, {
      type: "fork",
      sessionId: id,
      seq: turns[0].ended_seq,
      chain: log[turns[0].ended_seq - 1]!.chain,
      checkpoint: { checkpoint: captured.payload.checkpoint, lacks: calls.map(({ payload }) => payload.callId) }
    })
    assert.deepStrictEqual(
      copied!.payload.items.filter((item: Body) => item.type === "user").map((item: Body) => item.content[0].text),
      ["one"]
    )
    assert.deepStrictEqual(log.at(-1)!.payload, { childId: body.id, seq: turns[0].ended_seq })
    await world.say(body.id, "three")
    await world.until(body.id, "idle")
    assert.isTrue(verify(await bundleOf(body.id)).ok)
    assert.isTrue((await of("/verify?level=1")).ok)
  })

  it("give their forks copies of their files", async () => {
    const form = new FormData()
    form.append("file", new Blob(["hello"], { type: "text/plain" }), "a.txt")
    const response = await world.fetch("/v1/files", { method: "POST", body: form })
    const file = (await response.json()) as Body
    const parent = await world.open({ resources: [{ type: "file", file_id: file.id, mount_path: "/work/a.txt" }] })
    const child = (await world.post(`/v1/sessions/${parent}/fork`, {})).body
    const [theirs] = (await world.get(`/v1/sessions/${parent}/resources`)).body.data
    const [own] = child.resources
    assert.deepStrictEqual(
      [own.mount_path, own.id === theirs.id, own.file_id === theirs.file_id],
      [theirs.mount_path, false, false]
    )
    await world.fetch(`/v1/sessions/${parent}`, { method: "DELETE" })
    assert.strictEqual((await world.get(`/v1/files/${own.file_id}`)).status, 200)
  })

  it("are forked at an event or at the end, once for each request", async () => {
    const keyed = () => world.post(`/v1/sessions/${id}/fork`, { title: null }, { "idempotency-key": "fork-1" })
    const [first, second] = [await keyed(), await keyed()]
    assert.deepStrictEqual([first.status, first.body.title, second.body.id], [200, null, first.body.id])
    const early = await fork({ seq: 1, title: "early" })
    assert.strictEqual(early.body.title, "early")
    assert.deepStrictEqual(
      (await world.log(early.body.id)).map(({ type }) => type),
      ["SessionOpened"]
    )
  })

  it("refuse places that are not there", async () => {
    const end = (await of("/state")).seq
    const unknownTurn = `turn_01${"1".repeat(22)}`
    const paths: ReadonlyArray<readonly [number, string]> = [
      [400, `/state?at=${end + 1}`],
      [400, "/state?at=-1"],
      [400, "/state?at=x"],
      [400, "/diff"],
      [400, `/diff?from=${end + 1}`],
      [400, `/diff?from=1&to=${end + 1}`],
      [404, "/why/0"],
      [404, `/why/${end + 1}`],
      [400, "/why/x"],
      [400, "/verify?level=2"],
      [404, `/model_requests/mreq_01${"1".repeat(22)}`],
      [400, "/model_requests/x"],
      [404, `/output?turn=${unknownTurn}`],
      [400, `/output?turn=${unknownTurn}&all=true`]
    ]
    for (const [status, path] of paths) {
      assert.strictEqual((await world.get(`/v1/sessions/${id}${path}`)).status, status, path)
    }
    const forks: ReadonlyArray<readonly [number, object]> = [
      [400, { seq: 0 }],
      [400, { seq: end + 1 }],
      [400, { seq: 1, turn: unknownTurn }],
      [404, { turn: unknownTurn }],
      [400, { nonsense: 1 }],
      [400, { metadata: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, "v"])) }]
    ]
    for (const [status, body] of forks) assert.strictEqual((await fork(body)).status, status, JSON.stringify(body))
    assert.strictEqual((await of("/state")).seq, end)
  })
})
