import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { EventStore } from "../../src/log/EventStore.ts"
import * as Projector from "../../src/log/Projector.ts"
import { searchProjection } from "../../src/search/SearchProjection.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import { allEvents } from "../support/allEvents.ts"
import { newCommandId } from "../support/LogWriter.ts"
import { type Ask, asHolderOf, asOwner, assertHidden, asStranger, made, refused } from "./asking.ts"
import { type GatewayWorld, plays, startGateway, think } from "./gatewayWorld.ts"

describe("a workspace's sessions, as a whole", { timeout: 180_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  let reader: Ask
  let stranger: Ask
  let agentId: string

  beforeAll(async () => {
    world = await startGateway()
    ask = asOwner(world)
    reader = await asHolderOf(world, ["read"])
    stranger = await asStranger(world)
    agentId = made(await ask("POST", "/v1/agents", { name: "helper", model: "demo" })).id
  }, 120_000)
  afterAll(() => world?.end())

  const open = async (more: object = {}) => made(await ask("POST", "/v1/sessions", { agent: agentId, ...more }))
  const say = (text: string) => ({ events: [{ type: "user.message", content: [{ type: "text", text }] }] })
  const send = async (id: string, text: string) => made(await ask("POST", `/v1/sessions/${id}/events`, say(text)))

  /** Asks until the read tables are where the answer is the one that is waited for. */
  const eventually = async <A>(what: string, look: () => Promise<A | undefined>): Promise<A> => {
    const end = performance.now() + 60_000
    while (performance.now() < end) {
      const found = await look()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`Never came: ${what}`)
  }

  describe("projects", () => {
    it("give their sessions what these leave out", async () => {
      const environment = made(await ask("POST", "/v1/environments", { name: "theirs" }))
      const defaults = {
        agent_id: agentId,
        environment_id: environment.id,
        labels: ["blue"],
        repository: { url: "https://git.example/a" }
      }
      const project = made(await ask("POST", "/v1/projects", { name: "p", defaults }))
      assert.deepStrictEqual(project.defaults, {
        ...defaults,
        directory: null,
        repository: { url: "https://git.example/a", ref: null }
      })
      const troupe = { project_id: project.id, labels: ["green", "blue"] }
      const session = made(await ask("POST", "/v1/sessions", { troupe }))
      assert.deepStrictEqual([session.agent.id, session.environment_id], [agentId, environment.id])
      assert.deepStrictEqual(session.troupe, {
        project_id: project.id,
        labels: ["blue", "green"],
        directory: null,
        lifecycle: { on_idle: "retain", keep_failed: true, ttl_seconds: null },
        limits: [],
        policies: [],
        sandbox: null
      })
      await open()
      const listed = made(await ask("GET", `/v1/sessions?project_id=${project.id}`)).data
      assert.deepStrictEqual(
        listed.map(({ id }: { id: string }) => id),
        [session.id]
      )
      assert.deepStrictEqual(refused(await ask("DELETE", `/v1/projects/${project.id}`)), [
        409,
        "Sessions are in this project: archive it, or delete them first"
      ])
      made(await ask("DELETE", `/v1/sessions/${session.id}`))
      assert.deepStrictEqual(made(await ask("DELETE", `/v1/projects/${project.id}`)), {
        id: project.id,
        type: "project_deleted"
      })
      assert.strictEqual(refused(await ask("GET", `/v1/projects/${project.id}`))[0], 404)
    })

    it("change by what is named, and take no new sessions once they are archived", async () => {
      const { id } = made(await ask("POST", "/v1/projects", { name: "q", metadata: { a: "1", b: "2" } }))
      const changed = made(
        await ask("PUT", `/v1/projects/${id}`, { metadata: { a: null }, defaults: { labels: ["x", "x"] } })
      )
      assert.deepStrictEqual([changed.name, changed.metadata, changed.defaults.labels], ["q", { b: "2" }, ["x"]])
      const archived = made(await ask("POST", `/v1/projects/${id}/archive`))
      assert.strictEqual(made(await ask("POST", `/v1/projects/${id}/archive`)).archived_at, archived.archived_at)
      assert.strictEqual(refused(await ask("POST", `/v1/projects/${id}`, { name: "r" }))[0], 400)
      const inIt = { agent: agentId, troupe: { project_id: id } }
      assert.match(refused(await ask("POST", "/v1/sessions", inIt))[1], /archived/)
      const ids = async (query: string) =>
        made(await ask("GET", `/v1/projects${query}`)).data.map((one: { id: string }) => one.id)
      assert.notInclude(await ids(""), id)
      assert.include(await ids("?include_archived=true"), id)
    })

    it("are made once for a key, and listed by pages", async () => {
      const headers = { "idempotency-key": "project-1" }
      const [one, two] = [
        await ask("POST", "/v1/projects", { name: "once" }, headers),
        await ask("POST", "/v1/projects", { name: "once" }, headers)
      ]
      assert.strictEqual(made(one).id, made(two).id)
      for (const name of ["s", "t"]) made(await ask("POST", "/v1/projects", { name }))
      const seen: Array<string> = []
      for (let page: string | null = ""; page !== null;) {
        const answer = made(await reader("GET", `/v1/projects?limit=1${page === "" ? "" : `&page=${page}`}`))
        seen.push(...answer.data.map(({ name }: { name: string }) => name))
        page = answer.next_page
      }
      assert.deepStrictEqual(seen.slice(0, 3), ["t", "s", "once"])
      assert.strictEqual(refused(await ask("GET", "/v1/projects?page=page_zzz"))[0], 400)
    })

    it.each([
      [{ name: "" }, /name/],
      [{ defaults: { agent_id: "agent_011CZkYpogX7uDKUyvBTophP" } }, /defaults\.agent_id/],
      [{ defaults: { directory: { runner_id: "rnr_011CZkYpogX7uDKUyvBTophP", path: "/a" } } }, /runner_id/],
      [{ defaults: { directory: { runner_id: "rnr_011CZkYpogX7uDKUyvBTophP", path: "a" } } }, /path/],
      [{ defaults: { repository: { url: "https://me:word@git.example/a" } } }, /repository/],
      [{ defaults: { labels: ["a\u0001"] } }, /labels/],
      [{ colour: "blue" }, /colour/]
    ])("are refused with %j", async (changes, said) => {
      const [status, message] = refused(await ask("POST", "/v1/projects", { name: "bad", ...changes }))
      assert.strictEqual(status, 400)
      assert.match(message, said)
    })

    it("are hidden from other workspaces", async () => {
      const { id } = made(await ask("POST", "/v1/projects", { name: "ours" }))
      await assertHidden(stranger, `/v1/projects/${id}`, "proj")
      const theirs = {
        agent: agentId,
        troupe: { project_id: made(await stranger("POST", "/v1/projects", { name: "x" })).id }
      }
      assert.strictEqual(refused(await ask("POST", "/v1/sessions", theirs))[0], 404)
      assert.strictEqual(
        refused(await stranger("POST", "/v1/projects", { name: "y", defaults: { agent_id: agentId } }))[0],
        400
      )
      assert.strictEqual(refused(await reader("POST", "/v1/projects", { name: "z" }))[0], 403)
      assert.match(refused(await ask("POST", "/v1/sessions", {}))[1], /^agent/)
    })
  })

  describe("usage", () => {
    it("is summed up by what is asked for, and pages are as one", async () => {
      const ids: Array<string> = []
      for (let n = 0; n < 3; n++) {
        const { id } = await open()
        world.script(plays(think(), think()))
        await send(id, "work")
        ids.push(id)
        await eventually("its requests are counted", async () => {
          const { data } = made(await reader("GET", `/v1/usage?session_id=${id}`))
          return data[0].model_requests === 2 ? true : undefined
        })
      }
      const [sum] = made(await reader("GET", `/v1/usage?agent_id=${agentId}`)).data
      assert.deepStrictEqual([sum.day, sum.model, sum.session_id], [null, null, null])
      assert.isAtLeast(sum.model_requests, 6)
      assert.strictEqual(sum.cost_micro_usd + sum.unpriced_requests > 0, true)
      const query = "/v1/usage?group_by[]=session&group_by[]=day&group_by[]=model&group_by[]=agent"
      const whole = made(await reader("GET", `${query}&limit=1000`)).data
      const pages = []
      for (let page: string | null = ""; page !== null;) {
        const answer = made(await reader("GET", `${query}&limit=1${page === "" ? "" : `&page=${page}`}`))
        pages.push(...answer.data)
        page = answer.next_page
      }
      assert.deepStrictEqual(pages, whole)
      const sessions = new Set(whole.map((row: { session_id: string }) => row.session_id))
      for (const id of ids) assert.isTrue(sessions.has(id))
      for (const row of whole) assert.strictEqual(row.agent_id, agentId)
    })

    it("is each workspace's own", async () => {
      const [theirs] = made(await stranger("GET", "/v1/usage")).data
      assert.deepStrictEqual([theirs.model_requests, theirs.cost_micro_usd], [0, 0])
      assert.strictEqual(made(await stranger("GET", `/v1/usage?agent_id=${agentId}`)).data[0].model_requests, 0)
    })

    it.each([
      "from=yesterday",
      "from=2026-02-30",
      "to=0000-01-01",
      "to=0001-01-05",
      "from=2026-02-02&to=2026-02-01",
      "group_by[]=colour",
      "page=page_zzz"
    ])("is refused with %s", async (query) =>
      assert.strictEqual(refused(await ask("GET", `/v1/usage?${query}`))[0], 400)
    )

    it("is refused with a cursor of other groups, or a spoiled one", async () => {
      const days = made(await ask("GET", "/v1/usage?group_by[]=session&limit=1")).next_page
      assert.strictEqual(refused(await ask("GET", `/v1/usage?group_by[]=day&page=${days}`))[0], 400)
      const [from, to] = ["2026-01-01", "2026-01-02"]
      for (const [group, value] of [
        ["session", "no uuid"],
        ["day", "2026-02-30"]
      ]) {
        const place = btoa(JSON.stringify([`usage ${from} ${to} ${group}`, value])).replaceAll("=", "")
        const asked = `/v1/usage?group_by[]=${group}&from=${from}&to=${to}&page=page_${place}`
        assert.strictEqual(refused(await ask("GET", asked))[0], 400, value)
      }
    })
  })

  describe("search", () => {
    interface Hit {
      readonly session: { readonly id: string }
      readonly highlights: ReadonlyArray<{
        readonly field: string
        readonly event_id: string | null
        readonly text: string
        readonly ranges: ReadonlyArray<readonly [number, number]>
      }>
    }
    const find = async (q: string, more = "", by: Ask = reader): Promise<ReadonlyArray<Hit>> =>
      made(await by("GET", `/v1/search?q=${encodeURIComponent(q)}${more}`)).data
    const ids = (hits: ReadonlyArray<Hit>) => hits.map(({ session }) => session.id)
    const found = (q: string, id: string, more = "") =>
      eventually(`${q} is found`, async () => (await find(q, more)).find(({ session }) => session.id === id))
    const lost = (q: string) =>
      eventually(`${q} is found no more`, async () => ((await find(q)).length === 0 ? true : undefined))
    const marked = ({ highlights }: Hit) =>
      highlights.flatMap(({ ranges, text }) => ranges.map(([from, to]) => text.slice(from, to)))

    it("finds sessions by what was said, and what they are called, and shows where", async () => {
      const { id } = await open({ title: "The Quetzal report", metadata: { ticket: "ZX-81" } })
      const sent = await send(id, "Please look at the <b>zygomorphic</b> flowers.")
      const said = await found("zygomorphic", id)
      assert.deepStrictEqual(marked(said), ["zygomorphic"])
      assert.deepStrictEqual(
        said.highlights.map(({ event_id, field }) => [field, event_id]),
        [["user_message", sent.data[0].id]]
      )
      for (const words of ["quetzal", "quetz", "ZX-81", '"quetzal report"', "quetzal -tiger", "tiger or quetzal"]) {
        assert.deepStrictEqual(ids(await find(words)), [id], words)
      }
      for (const words of ["tiger", '"report quetzal"', "quetzal -report", "'; DROP TABLE", "!!! &|", "\\"]) {
        assert.deepStrictEqual(ids(await find(words)), [], words)
      }
      made(await ask("POST", `/v1/sessions/${id}`, { title: "The Okapi report" }))
      await found("okapi", id)
      assert.deepStrictEqual(await find("quetzal"), [])
    })

    it("finds what agents said", async () => {
      const { id } = await open()
      world.script(plays(think()))
      await send(id, "go on")
      const text = await eventually("the agent says something", async () => {
        const events = made(await ask("GET", `/v1/sessions/${id}/events?types[]=agent.message`)).data
        return events[0]?.content[0]?.text as string | undefined
      })
      const hit = await found(`"${text}"`, id)
      assert.include(
        hit.highlights.map(({ field }) => field),
        "agent_message"
      )
    })

    it("leaves out archived and deleted ones, those of other projects, and other workspaces'", async () => {
      const project = made(await ask("POST", "/v1/projects", { name: "search" }))
      const one = await open({ title: "xylophone one", troupe: { project_id: project.id } })
      const two = await open({ title: "xylophone two" })
      await found("xylophone", one.id)
      await found("xylophone", two.id)
      assert.deepStrictEqual(ids(await find("xylophone", `&project_id=${project.id}`)), [one.id])
      const first = made(await reader("GET", "/v1/search?q=xylophone&limit=1"))
      const second = made(await reader("GET", `/v1/search?q=xylophone&limit=1&page=${first.next_page}`))
      assert.sameMembers([...ids(first.data), ...ids(second.data)], [one.id, two.id])
      assert.isNull(second.next_page)
      made(await ask("POST", `/v1/sessions/${one.id}/archive`))
      assert.deepStrictEqual(ids(await find("xylophone")), [two.id])
      assert.sameMembers(ids(await find("xylophone", "&include_archived=true")), [one.id, two.id])
      assert.deepStrictEqual(await find("xylophone", "", stranger), [])
      made(await ask("DELETE", `/v1/sessions/${two.id}`))
      await lost("xylophone")
      const left = () =>
        world.node.run(
          Effect.flatMap(
            SqlClient.SqlClient,
            (sql) => sql`SELECT FROM search_documents WHERE content LIKE 'xylophone two%'`
          )
        )
      await eventually("nothing of it is left", async () => ((await left()).length === 0 ? true : undefined))
    })

    it("forgets what was redacted, also when its table is made anew", async () => {
      const { id } = await open()
      await send(id, "my secret is wombat")
      await send(id, "nothing to hide from the echidna")
      await found("wombat", id)
      await found("echidna", id)
      const events = await world.node.run(allEvents(id as SessionId))
      const { seq } = events.find(({ payload }) => payload?.includes("wombat") === true)!
      await world.node.run(
        Effect.flatMap(Sessions, (sessions) =>
          sessions.handle(
            id as SessionId,
            {
              commandId: newCommandId(),
              at: Date.now(),
              actor: { type: "system" },
              correlationId: "0".repeat(32),
              body: {
                _tag: "RequestRedaction",
                seqs: [seq],
                reason: "asked for",
                replacements: ["0".repeat(64)]
              } as never
            } as never
          )
        )
      )
      await lost("wombat")
      await eventually("it is taken out of the log", async () => {
        const [event] = await world.node.run(
          Effect.flatMap(EventStore, (store) => store.read(id as SessionId, { after: seq - 1, limit: 1 }))
        )
        return event?.salt === null ? true : undefined
      })
      const next = { ...searchProjection, version: searchProjection.version + 1 }
      await world.node.run(
        Effect.gen(function* () {
          let step = yield* Projector.step(next)
          while (step._tag === "Moved") step = yield* Projector.step(next)
          assert.strictEqual(step._tag, "CaughtUp")
        })
      )
      assert.deepStrictEqual(await find("wombat"), [])
      assert.deepStrictEqual(ids(await find("echidna")), [id])
      const kept = await world.node.run(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT FROM search_documents WHERE content LIKE '%wombat%'`)
      )
      assert.lengthOf(kept, 0)
    })

    it.each(["", "q=", `q=${"x".repeat(257)}`, "q=a&page=page_zzz", "q=a&project_id=p"])(
      "is refused with %j",
      async (query) => assert.strictEqual(refused(await ask("GET", `/v1/search?${query}`))[0], 400)
    )
  })
})
