import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Fleet } from "@troupe/domain/api/Fleet"
import { Effect, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { setTimeout } from "node:timers/promises"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { asHolderOf, asOwner, asStranger, made, refused } from "../gateway/asking.ts"
import { plays, think, tool } from "../gateway/gatewayWorld.ts"
import { type OwnWorld, startOwn } from "../gateway/ownWorld.ts"
import { apiKey } from "../support/apiKey.ts"
import { dial, type Dialled } from "../support/DialingRunner.ts"
import { register, startNode, type TestNode } from "../support/TestNode.ts"

describe("the fleet", { timeout: 120_000 }, () => {
  let world: OwnWorld
  let runner: Dialled
  const fleet = async (): Promise<Fleet> => made(await asOwner(world)("GET", "/v1/fleet"))
  const eventually = async (is: (found: Fleet) => boolean): Promise<Fleet> => {
    for (;;) {
      const found = await fleet()
      if (is(found)) return found
      await setTimeout(20)
    }
  }

  beforeAll(async () => {
    world = await startOwn()
    const workspaceId = await world.node.run(Effect.flatMap(Workspaces, ({ first }) => first))
    const { credential } = await register(world.node, workspaceId, { name: "one" })
    runner = await dial({ gateway: world.node.gateway, credential: Redacted.make(credential) })
    await runner.greeted
  }, 120_000)
  afterAll(async () => {
    await runner?.cut()
    await world?.end()
  })

  it("is shown to admins of the first workspace alone", async () => {
    const reader = await asHolderOf(world, ["write", "approve"])
    assert.strictEqual(refused(await reader("GET", "/v1/fleet"))[0], 403)
    const stranger = await asStranger(world)
    assert.deepStrictEqual(refused(await stranger("GET", "/v1/fleet")), [
      403,
      "The fleet is shown to admins of the first workspace"
    ])
  })

  it("is the nodes that live, and which of them owns how many shards", async () => {
    const alone = await eventually(({ shards }) => shards.owned === shards.total)
    assert.lengthOf(alone.nodes, 1)
    assert.deepInclude(alone.nodes[0], { address: world.node.address, shards: 300, runners: 1, answered: true })
    let second: TestNode | undefined
    try {
      second = await startNode(world.database)
      const { address } = second
      const shared = ({ nodes, shards }: Fleet) =>
        nodes.length === 2 && nodes.every((node) => node.shards > 0) && shards.owned === shards.total
      const both = await eventually(shared)
      const other = both.nodes.find((node) => node.address === address)!
      assert.deepInclude(other, { runners: 0, answered: false })
    } finally {
      await second?.end()
    }
    const after = await eventually(({ nodes, shards }) => nodes.length === 1 && shards.owned === shards.total)
    assert.strictEqual(after.nodes[0]!.address, world.node.address)
  })

  it("counts what is at work, and what waits for people, workers and runners", async () => {
    const before = await fleet()
    assert.deepInclude(before.runners, { connected: 1, draining: 0 })
    assert.deepStrictEqual(before.work, { queued: 0, claimed: 0, oldest_queued_ms: null })
    const asks = await world.open()
    world.script(plays(tool("ask"), tool("question")), plays(think()))
    await world.say(asks, "go")
    await eventually(({ sessions: { approvals, questions } }) => approvals === 1 && questions === 1)
    await world.say(asks, "then this")
    await world.say(asks, "and that")
    const { queues } = await eventually(({ queues: { turn } }) => turn.turns === 2)
    assert.isAtLeast(queues.turn.oldest_ms!, 0)
    assert.deepStrictEqual(queues.runner, { turns: 0, oldest_ms: null })
    const config = { type: "self_hosted" }
    const { id } = made(await asOwner(world)("POST", "/v1/environments", { name: "theirs", config }))
    world.script(plays(tool("client")))
    await world.say(await world.open({ environment_id: id }), "go")
    const stats = `/v1/environments/${id}/work/stats`
    while ((await world.get(stats)).body.depth === 0) await setTimeout(20)
    const { work } = await fleet()
    assert.deepInclude(work, { queued: 1, claimed: 0 })
    assert.isAtLeast(work.oldest_queued_ms!, 0)
  })

  it("is scraped by Prometheus, with a key of theirs", async () => {
    const scrape = (authorization: string) => fetch(`${world.node.gateway}/metrics`, { headers: { authorization } })
    const session = await world.open()
    await world.say(session, "go")
    const answer = await scrape(`Bearer ${apiKey}`)
    assert.include(answer.headers.get("content-type")!, "text/plain; version=0.0.4")
    const text = await answer.text()
    const valueOf = (series: string) => {
      const line = text.split("\n").find((one) => one.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    }
    for (const series of [
      "process_resident_memory_bytes",
      "process_cpu_seconds_total",
      "troupe_sessions_resident",
      "troupe_append_batch_appends_count",
      "troupe_append_batch_duration_seconds_sum",
      `troupe_http_requests_total{method="POST",route="/v1/sessions",status="200"}`,
      `troupe_http_request_duration_seconds_count{method="POST",route="/v1/sessions"}`
    ]) {
      assert.isAbove(valueOf(series)!, 0, series)
    }
    assert.strictEqual(valueOf("troupe_runner_links"), 1)
    assert.strictEqual(valueOf("troupe_fleet_seen"), 1)
    assert.strictEqual(valueOf("troupe_fleet_nodes"), 1)
    assert.isAtLeast(valueOf(`troupe_fleet_turns{state="waiting_for_runner"}`)!, 0)
    assert.isAtLeast(valueOf("troupe_log_horizon_age_ms")!, 0)
    assert.isAtLeast(valueOf("troupe_streams_open")!, 0)
    assert.match(text, /troupe_projection_lag_seconds\{[^}]*projection="usage"[^}]*\} \d/)
    // Every line is one that Prometheus takes, and no series is there twice.
    const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    for (const line of series) assert.match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/)
    const names = series.map((line) => line.slice(0, line.lastIndexOf(" ")))
    assert.lengthOf(new Set(names), names.length)
    assert.notInclude(text, session)

    assert.strictEqual((await scrape("Bearer nobody")).status, 401)
    assert.strictEqual(refused(await (await asHolderOf(world, ["write"]))("GET", "/metrics"))[0], 403)
    assert.strictEqual(refused(await (await asStranger(world))("GET", "/metrics"))[0], 403)
  })

  it("says how far read tables are behind, while a transaction holds them up", async () => {
    const caughtUp = ({ log }: Fleet) => log.projections.every(({ lag_ms, live }) => live && lag_ms === 0)
    const { log } = await eventually(caughtUp)
    assert.includeMembers(
      log.projections.map(({ name }) => name),
      ["inbox", "queues", "search", "usage"]
    )
    const release = Promise.withResolvers<void>()
    const holding = Promise.withResolvers<void>()
    const held = world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT pg_current_xact_id()::text`
            holding.resolve()
            yield* Effect.promise(() => release.promise)
          })
        )
      })
    )
    await Promise.race([holding.promise, held])
    await world.open()
    await eventually(({ log }) => log.projections.every(({ lag_ms }) => lag_ms > 0))
    release.resolve()
    await held
    await eventually(caughtUp)
  })
})
