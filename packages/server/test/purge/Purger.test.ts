import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { toUuid } from "@troupe/domain/Ids"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { createHash } from "node:crypto"
import { BlobStore } from "../../src/log/BlobStore.ts"
import { sweepBlobs } from "../../src/purge/BlobSweep.ts"
import { purge } from "../../src/purge/Purger.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { type OwnWorld, startOwn } from "../gateway/ownWorld.ts"

const dayMs = 86_400_000

describe("purging", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  it("deleted sessions are purged once they were kept for long enough, and not before", async () => {
    const [kept, gone] = [await world.open(), await world.open()]
    await world.say(gone, "go")
    await world.until(gone, "idle")
    await world.fetch(`/v1/sessions/${gone}`, { method: "DELETE" })
    assert.strictEqual((await world.get(`/v1/sessions/${gone}/log`)).status, 404)
    const left = (id: string) =>
      world.node.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const [row] = yield* sql<{ readonly events: number; readonly records: number }>`
            SELECT (SELECT count(*)::int FROM events WHERE stream_id = ${toUuid(id)!}) AS events,
              (SELECT count(*)::int FROM redactions WHERE stream_id = ${toUuid(id)!} AND kind = 'stream') AS records`
          return row!
        })
      )
    const { events } = await left(gone)
    await world.node.run(purge(Date.now() - 3_600_000))
    assert.deepStrictEqual(await left(gone), { events, records: 0 })
    assert.isAbove(events, 3)
    await world.node.run(purge(Date.now() + 1_000))
    assert.deepStrictEqual(await left(gone), { events: 0, records: 1 })
    assert.strictEqual((await world.get(`/v1/sessions/${gone}`)).status, 404)
    assert.isAbove((await left(kept)).events, 0)
    assert.strictEqual((await world.get(`/v1/sessions/${kept}`)).status, 200)
  })

  it("takes the content along that nothing else names, once it was not wanted for long", async () => {
    const hashOf = (text: string) => createHash("sha256").update(text).digest("hex")
    const put = (text: string) =>
      world.node.run(
        Effect.gen(function* () {
          const workspaceId = yield* (yield* Workspaces).first
          const blobs = yield* BlobStore
          return yield* blobs.put(workspaceId, new TextEncoder().encode(text), "application/octet-stream")
        })
      )
    const there = (names: ReadonlyArray<string>) =>
      world.node.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const rows = yield* sql<{ readonly name: string }>`SELECT encode(sha256, 'hex') AS name FROM blobs`
          const known = new Set(rows.map(({ name }) => name))
          return names.map((name) => known.has(name))
        })
      )
    const sweep = (now: number) => world.node.run(sweepBlobs(now))

    /** A checkpoint of one file, as runners store them. */
    const checkpoint = async (content: string) => {
      const piece = await put(content)
      const list = await put(`{"_tag":"File","chunks":["${piece}"],"name":"a"}\n`)
      const rest = `"files":1,"format":"troupe-tree/1","leftOut":[],"leftOutCount":0}`
      return { piece, list, manifest: await put(`{"bytes":1,"chunks":["${list}"],${rest}`) }
    }
    const [own, shared] = ["a".repeat(300_000), "b".repeat(300_000)]
    const [kept, gone] = [await world.open(), await world.open()]
    const [theirs, others] = [await checkpoint("content of one"), await checkpoint("content of another")]
    await world.say(kept, shared)
    await world.say(kept, `sha256:${theirs.manifest}`)
    for (const text of [own, shared, `sha256:${others.manifest}`]) await world.say(gone, text)
    for (const id of [kept, gone]) await world.until(id, "idle")
    const named = [hashOf(own), ...Object.values(others), hashOf(shared), ...Object.values(theirs)]
    const all = named.map(() => true)
    assert.deepStrictEqual(await there(named), all)

    await world.fetch(`/v1/sessions/${gone}`, { method: "DELETE" })
    await sweep(Date.now() + 3 * dayMs)
    assert.deepStrictEqual(await there(named), all, "nothing was purged")
    await world.node.run(purge(Date.now() + 1_000))
    await sweep(Date.now())
    assert.deepStrictEqual(await there(named), all, "it was wanted a moment ago")
    await sweep(Date.now() + 2 * dayMs)
    assert.deepStrictEqual(await there(named), [false, false, false, false, true, true, true, true])
    assert.strictEqual((await world.get(`/v1/sessions/${kept}`)).status, 200)
  })
})
