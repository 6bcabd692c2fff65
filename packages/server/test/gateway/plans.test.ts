import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid, fromUuid, prefixes } from "@troupe/domain/Ids"
import { Context, Effect, ManagedRuntime } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import { manySessions } from "../../../../test/support/manySessions.ts"
import { type Ask, asOwner, made } from "./asking.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const sessions = process.env["TROUPE_FULL"] === "1" ? 100_000 : 20_000
const page = 100
/** What a row of a page may cost in rows that are read: the session, its opening, its status, its changes. */
const readsPerRow = 12

interface Plan {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Rows Removed by Filter"?: number
  readonly "Rows Removed by Index Recheck"?: number
  readonly Plans?: ReadonlyArray<Plan>
}

const nodesOf = (plan: Plan): ReadonlyArray<Plan> => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

const readBy = (plan: Plan): number =>
  nodesOf(plan)
    .filter((node) => node["Relation Name"] !== undefined)
    .reduce((sum, node) => {
      const { "Rows Removed by Filter": filtered = 0, "Rows Removed by Index Recheck": rechecked = 0 } = node
      return sum + (node["Actual Rows"] + filtered + rechecked) * node["Actual Loops"]
    }, 0)

const large: ReadonlySet<string | undefined> = new Set(["sessions", "events", "heads"])

describe(`with ${sessions} sessions, a list reads what it shows:`, { timeout: 180_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  let like: string
  const heard: Array<readonly [string, ReadonlyArray<unknown>]> = []

  beforeAll(async () => {
    const listen: Statement.Transformer = (statement) =>
      Effect.sync(() => {
        const [text, params] = statement.compile()
        if (/^\s*SELECT/i.test(text)) heard.push([text, params])
        return statement
      })
    world = await startGateway({}, Context.make(Statement.CurrentTransformer, listen))
    ask = asOwner(world)
    const agent = made(await ask("POST", "/v1/agents", { name: "a", model: "demo" })).id
    like = made(await ask("POST", "/v1/sessions", { agent })).id
    // Not as the node itself, which may not count what is in its tables.
    const owner = ManagedRuntime.make(PgClient.layer({ url: world.database.superuserUrl, maxConnections: 1 }))
    const query = (text: string, params: ReadonlyArray<unknown> = []) =>
      owner.runPromise(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(text, [...params])))
    await manySessions(query, { count: sessions, like })
    await owner.dispose()
  }, 180_000)
  afterAll(() => world?.end())

  const explain = (text: string, params: ReadonlyArray<unknown>) =>
    world.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql.unsafe<{ readonly "QUERY PLAN": ReadonlyArray<{ readonly Plan: Plan }> }>(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
          [...params]
        )
        return row!["QUERY PLAN"][0]!.Plan
      })
    )

  /** What a request selected by itself: the node has other things to look at meanwhile. */
  const selectedBy = async (path: string, about: RegExp) => {
    heard.length = 0
    const answer = made(await ask("GET", path))
    const statements = heard.filter(([text]) => about.test(text))
    assert.isNotEmpty(statements, `nothing was selected for ${path}`)
    return { answer, statements }
  }

  const assertReadsItsPage = async (path: string, about = /FROM sessions s WHERE/) => {
    const { answer, statements } = await selectedBy(path, about)
    for (const [text, params] of statements) {
      const plan = await explain(text, params)
      const scanned = nodesOf(plan).filter(
        (node) => node["Node Type"] === "Seq Scan" && large.has(node["Relation Name"])
      )
      assert.isEmpty(scanned, `${path} scans ${scanned[0]?.["Relation Name"]}`)
      const read = readBy(plan)
      assert.isAtMost(
        read,
        readsPerRow * (page + 1),
        `${path} reads ${read} rows: ${JSON.stringify(plan).slice(0, 2_000)}`
      )
    }
    return answer
  }

  const rare = () => toUuid(like)!
  const rareId = (kind: "Agent" | "Project") => fromUuid(prefixes[kind], rare())

  it.each([
    ["the newest", () => ""],
    ["the oldest", () => "&order=asc"],
    ["archived ones too", () => "&include_archived=true"],
    ["of an agent that has few", () => `&agent_id=${rareId("Agent")}`],
    ["of a project", () => `&project_id=${rareId("Project")}`],
    ["of a deployment", () => `&deployment_id=${fromUuid("depl", rare())}`],
    ["that run, which are few", () => "&statuses[]=running"],
    ["that run or have ended", () => "&statuses[]=running&statuses[]=terminated&statuses[]=rescheduling"],
    ["that are idle, which are many", () => "&statuses[]=idle"],
    ["that run or are idle", () => "&statuses[]=running&statuses[]=idle"],
    ["of an hour", () => "&created_at[gte]=2026-01-01T01:00:00Z&created_at[lt]=2026-01-01T02:00:00Z"]
  ])("sessions, %s", async (_, query) => {
    const first = await assertReadsItsPage(`/v1/sessions?limit=${page}${query()}`)
    if (!query().includes("depl")) assert.lengthOf(first.data, page)
    if (first.next_page !== null)
      await assertReadsItsPage(`/v1/sessions?limit=${page}${query()}&page=${first.next_page}`)
  })

  it("sessions, those of an end user", async () => {
    const token = made(await ask("POST", "/v1/tokens", { kind: "end_user", subject: "somebody" }))
    const own = await world.fetch(`/v1/sessions?limit=${page}`, { headers: { "x-api-key": token.secret } })
    assert.strictEqual(own.status, 200)
    await own.text()
    const statements = heard.filter(([text]) => /FROM sessions s WHERE/.test(text) && /end_user/.test(text))
    assert.isNotEmpty(statements)
    for (const [text, params] of statements) {
      assert.isAtMost(readBy(await explain(text, params)), readsPerRow * (page + 1))
    }
  })

  it.each([
    ["approvals", "/v1/approvals?limit=100", /FROM inbox/],
    ["questions of an agent", "/v1/questions?limit=100", /FROM inbox/],
    ["search for what few say", "/v1/search?q=nobody-says-this&limit=100", /FROM search_documents/],
    ["usage of a day", "/v1/usage?by[]=model&from=2026-01-01&to=2026-01-02", /FROM usage_days/],
    ["tokens", "/v1/tokens?limit=100", /FROM tokens/],
    ["files", "/v1/files?limit=100", /FROM files/],
    ["agents", "/v1/agents?limit=100", /FROM agents/],
    ["environments", "/v1/environments?limit=100", /FROM environments/],
    ["projects", "/v1/projects?limit=100", /FROM projects/]
  ])("%s", async (_, path, about) => {
    await assertReadsItsPage(path, about)
  })

  it.each([
    ["events", "events?limit=100"],
    ["the log", "log?limit=100"],
    ["turns", "turns?limit=100"]
  ])("%s of a session", async (_, path) => {
    await assertReadsItsPage(`/v1/sessions/${like}/${path}`, /FROM events/)
  })
})
