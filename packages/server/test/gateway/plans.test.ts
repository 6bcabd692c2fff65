import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { toUuid, fromUuid, prefixes } from "@troupe/domain/Ids"
import { Context, Effect, Layer, ManagedRuntime } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import { manySessions } from "../../../../test/support/manySessions.ts"
import { IndexWithinMs, Search, type SearchPage, type SearchPlace } from "../../src/search/Search.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
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
        if (/^\s*(SELECT|WITH)/i.test(text)) heard.push([text, params])
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

  it("streams that are opened at once take one look each for their session, at most", async () => {
    const opened = 100
    const open = () => world.fetch(`/v1/sessions/${like}/log/stream`)
    await (await open()).body?.cancel()
    heard.length = 0
    const streams = await Promise.all(Array.from({ length: opened }, open))
    const looked = heard.filter(([text]) => /FROM sessions s|FROM tokens/.test(text))
    for (const stream of streams) {
      assert.strictEqual(stream.status, 200)
      await stream.body?.cancel()
    }
    // And now and then one of all of them together, whether the key still holds.
    const keyLooks = looked.filter(([text]) => /FROM tokens/.test(text)).length
    assert.isAtMost(looked.length - keyLooks, opened)
    assert.isBelow(keyLooks, 30)
  })

  describe("of what all say,", () => {
    const pieces = 30_000
    beforeAll(async () => {
      const owner = ManagedRuntime.make(PgClient.layer({ url: world.database.superuserUrl, maxConnections: 1 }))
      // One long conversation, in which a word is said again and again, after one in each of some sessions.
      const write = (sql: SqlClient.SqlClient) => sql`
        INSERT INTO search_documents
          (generation, session_id, seq, field, name, workspace_id, event_id, recorded_at, content)
        SELECT p.version, s.session_id, 1000 + n, 'user_message', '', s.workspace_id, 'sevt_' || n,
          ${Date.UTC(2026, 5)}::bigint + n, 'everybody says hello ' || n
        FROM (SELECT version FROM projections WHERE name = 'search' AND live) p, generate_series(1, ${pieces}) n,
          LATERAL (
            SELECT session_id, workspace_id FROM sessions ORDER BY session_id OFFSET least(n, 50) LIMIT 1
          ) s`
      await owner.runPromise(
        Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.andThen(write(sql), sql`ANALYZE search_documents`))
      )
      await owner.dispose()
    }, 120_000)

    it("a search looks through the newest pieces, and goes on behind them", async () => {
      const found = new Set<string>()
      let path = "/v1/search?q=hello&limit=30"
      let pages = 0
      do {
        const { answer, statements } = await selectedBy(path, /WITH newest/)
        for (const [text, params] of statements) {
          const read = nodesOf(await explain(text, params))
            .filter((node) => node["Relation Name"] === "search_documents")
            .map((node) => (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"])
          assert.isAtMost(Math.max(...read), 5_000)
        }
        for (const { session } of answer.data) {
          assert.isFalse(found.has(session.id), "it was found before")
          found.add(session.id)
        }
        path = `/v1/search?q=hello&limit=30&page=${answer.next_page}`
        pages = answer.next_page === null ? 0 : pages + 1
        assert.isBelow(pages, 20)
      } while (pages > 0)
      assert.strictEqual(found.size, 50)
    })

    it("a search goes on piece by piece where the index would take too long", async () => {
      const found: Array<string> = []
      let pages = 0
      await world.node.run(
        Effect.gen(function* () {
          const { query } = yield* Search
          const asked = { words: "hello", includeArchived: true, projectId: null, limit: 30 }
          const workspaceId = yield* (yield* Workspaces).first
          let after: SearchPlace | null = null
          do {
            const page: SearchPage = yield* query({ ...asked, workspaceId, after })
            found.push(...page.hits.map(({ sessionId }) => sessionId))
            after = page.next
          } while (after !== null && ++pages < 20)
        }).pipe(Effect.provide(Layer.fresh(Search.layer)), Effect.provideService(IndexWithinMs, 1), Effect.orDie)
      )
      assert.isAtLeast(pages, 5)
      assert.deepStrictEqual([found.length, new Set(found).size], [50, 50])
    })
  })

  it.each([
    ["events", "events?limit=100"],
    ["the log", "log?limit=100"],
    ["turns", "turns?limit=100"]
  ])("%s of a session", async (_, path) => {
    await assertReadsItsPage(`/v1/sessions/${like}/${path}`, /FROM events/)
  })
})
