import type { McpProbed } from "@troupe/domain/runner/McpProbed"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { SecretSource } from "../../src/runners/SecretSource.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { dial, type Dialled } from "../support/DialingRunner.ts"
import { register } from "../support/TestNode.ts"
import { type Ask, asHolderOf, asOwner, assertHidden, asStranger, made, refused } from "./asking.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

describe("what a workspace settles", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  let reader: Ask
  let stranger: Ask
  let runner: Dialled
  const probed: Array<string> = []
  const askedServers: Array<{ readonly server: object; readonly secret: string | null }> = []
  let has: McpProbed = { outcome: "failed", detail: "nobody is there" }
  let answer: {
    readonly usable: boolean
    readonly notes: ReadonlyArray<string>
    readonly models: ReadonlyArray<string>
  }

  const first = Effect.flatMap(Workspaces, (workspaces) => workspaces.first)
  const secrets = (models: ReadonlyArray<string>, mcpServers: ReadonlyArray<object> = []) =>
    world.node.run(
      Effect.gen(function* () {
        const workspaceId = yield* first
        const source = yield* SecretSource
        const all = yield* source.all({ workspaceId }, { models, mcpServers: mcpServers as never })
        return all.map(({ name, value, version }) => ({ name, version, value: JSON.parse(Redacted.value(value)) }))
      })
    )

  beforeAll(async () => {
    world = await startGateway()
    ask = asOwner(world)
    reader = await asHolderOf(world, ["read"])
    stranger = await asStranger(world)
    const { credential } = await register(world.node, await world.node.run(first), { name: "prober" })
    answer = { usable: true, notes: [], models: ["gpt-4.1"] }
    runner = await dial({
      gateway: world.node.gateway,
      credential: Redacted.make(credential),
      handlers: {
        ProbeModel: ({ card }: { readonly card: Redacted.Redacted }) =>
          Effect.sync(() => {
            probed.push(Redacted.value(card))
            return answer
          }),
        ProbeMcpServer: (asked: { readonly server: object; readonly secret: Redacted.Redacted | null }) =>
          Effect.sync(() => {
            askedServers.push({ ...asked, secret: asked.secret === null ? null : Redacted.value(asked.secret) })
            return has
          })
      }
    })
    await runner.greeted
  }, 120_000)
  afterAll(async () => {
    await runner?.cut()
    await world?.end()
  })

  describe("settings", () => {
    it("are there before anybody wrote some, and change by what is named", async () => {
      const before = made(await ask("GET", "/v1/settings"))
      assert.deepStrictEqual([before.version, before.day_limits, before.prices], [0, [], {}])
      const limit = { metric: "tokens", max: 1_000, enforcement: "hard" }
      const price = { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 }
      const one = made(await ask("POST", "/v1/settings", { day_limits: [limit], prices: { "ours-*": price } }))
      const two = made(await ask("PUT", "/v1/settings", { default_harness: "shell", version: one.version }))
      assert.deepStrictEqual([two.day_limits, two.prices, two.default_harness], [[limit], { "ours-*": price }, "shell"])
      assert.strictEqual(made(await ask("POST", "/v1/settings", { default_harness: "shell" })).version, two.version)
      assert.deepStrictEqual(refused(await ask("POST", "/v1/settings", { day_limits: [], version: one.version })), [
        409,
        `Settings are at version ${two.version}, not ${one.version}`
      ])
      made(await ask("POST", "/v1/settings", { day_limits: [], default_harness: null }))
    })

    it("stand in for what an agent and a session leave out", async () => {
      assert.deepStrictEqual(refused(await ask("POST", "/v1/agents", { name: "a" })), [
        400,
        "model: Missing key; the workspace has no default model"
      ])
      const environment = made(await ask("POST", "/v1/environments", { name: "ours" }))
      const changes = {
        default_model: "demo",
        default_aux_model: "small",
        default_harness: "shell",
        default_environment_id: environment.id
      }
      const settings = made(await ask("POST", "/v1/settings", changes))
      assert.strictEqual(settings.default_environment_id, environment.id)
      const agent = made(await ask("POST", "/v1/agents", { name: "a" }))
      assert.strictEqual(agent.model.id, "demo")
      const session = made(await ask("POST", "/v1/sessions", { agent: agent.id }))
      assert.deepStrictEqual(session.agent.troupe, { harness: "shell", aux_model: "small" })
      assert.strictEqual(session.environment_id, environment.id)
      made(await ask("POST", "/v1/settings", { default_model: null, default_aux_model: null, default_harness: null }))
    })

    it("let the soft limits of a day pass", async () => {
      const today = new Date().toISOString().slice(0, 8)
      const passed = made(await ask("POST", "/v1/settings/pass_day_limits"))
      assert.include(passed.day_limits_passed_on, today)
    })

    it.each([
      [{ day_limits: [{ metric: "coins", max: 1, enforcement: "hard" }] }, /day_limits/],
      [{ day_limits: [{ metric: "tokens", max: 0, enforcement: "hard" }] }, /day_limits/],
      [{ prices: { "": {} } }, /prices/],
      [
        { prices: { x: { input: -1, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 } } },
        /prices\.x\.input/
      ],
      [{ prices: { "a*b": { input: 1, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 } } }, /prices/],
      [{ default_environment_id: "env_011CZkYpogX7uDKUyvBTophP" }, /default_environment_id/],
      [{ default_harness: "No Harness" }, /default_harness/],
      [{ something: 1 }, /something/]
    ])("refuse %j", async (changes, said) => {
      const [status, message] = refused(await ask("POST", "/v1/settings", changes))
      assert.strictEqual(status, 400)
      assert.match(message, said)
    })

    it("are each workspace's own, and for its administrators to change", async () => {
      const environment = made(await stranger("POST", "/v1/environments", { name: "theirs" }))
      assert.strictEqual(refused(await ask("POST", "/v1/settings", { default_environment_id: environment.id }))[0], 400)
      assert.strictEqual(made(await stranger("GET", "/v1/settings")).version, 0)
      assert.strictEqual(refused(await reader("POST", "/v1/settings", {}))[0], 403)
      made(await reader("GET", "/v1/settings"))
    })
  })

  describe("policies", () => {
    const safe = { type: "preset", preset: "safe" }

    it("have versions, each of which follows the one that its writer saw", async () => {
      assert.deepStrictEqual(made(await ask("GET", "/v1/policies")).version, 0)
      const one = made(await ask("POST", "/v1/policies", { version: 0, policies: [safe] }))
      assert.deepStrictEqual([one.version, one.policies], [1, [safe]])
      assert.deepStrictEqual(refused(await ask("POST", "/v1/policies", { version: 0, policies: [] })), [
        409,
        "Policies are at version 1, not 0"
      ])
      const writers = await Promise.all(
        ["read_only", "review"].map((preset) =>
          ask("PUT", "/v1/policies", { version: 1, policies: [{ type: "preset", preset }] })
        )
      )
      assert.deepStrictEqual(writers.map(({ status }) => status).sort(), [200, 409])
      assert.deepStrictEqual(made(await ask("GET", "/v1/policies?version=1")).policies, [safe])
      assert.strictEqual(refused(await ask("GET", "/v1/policies?version=9"))[0], 404)
      const page = made(await ask("GET", "/v1/policies/versions?limit=1"))
      const next = made(await ask("GET", `/v1/policies/versions?limit=1&page=${page.next_page}`))
      assert.deepStrictEqual([page.data[0].version, next.data[0].version, next.next_page], [2, 1, null])
      const presets = made(await ask("GET", "/v1/policies/presets")).data.map(({ name }: { name: string }) => name)
      assert.includeMembers(presets, ["safe", "review", "full", "custom"])
      made(await ask("POST", "/v1/policies", { version: 2, policies: [] }))
    })

    it("are refused where they are none", async () => {
      for (const policies of [[{ type: "maybe" }], [{ type: "preset", preset: "brave" }], "safe"]) {
        assert.strictEqual(refused(await ask("POST", "/v1/policies", { version: 3, policies }))[0], 400)
      }
      assert.strictEqual(refused(await ask("POST", "/v1/policies", { policies: [] }))[0], 400)
      assert.strictEqual(refused(await reader("POST", "/v1/policies", { version: 3, policies: [] }))[0], 403)
    })

    const dry = async (asked: object) => made(await reader("POST", "/v1/policies/dry_run", asked))
    const rules = (then: string, when: object = {}) => [{ type: "rules", rules: [{ tool: "bash", when, then }] }]

    it("say of a call that nobody makes what would become of it, and which rule of which layer says so", async () => {
      const { policies_version, ...free } = await dry({ tool: "bash", input: { command: "ls" } })
      assert.isNumber(policies_version)
      assert.deepStrictEqual([free.verdict, free.layer, free.rule], ["allow", "tool", "tools.bash.always_allow"])
      const denied = await dry({
        tool: "bash",
        input: { command: "ls; rm x" },
        policies: rules("deny", { command: "rm *" })
      })
      assert.deepStrictEqual(
        [denied.verdict, denied.layer, denied.rule, denied.policies_version],
        ["deny", "workspace", "workspace.policies[0].rules[0]", null]
      )
      const asked = await dry({ tool: "write", input: { file_path: "/workspace/a" }, preset: "review" })
      assert.deepStrictEqual([asked.verdict, asked.layer, asked.rule], ["ask", "turn", "turn.preset.review"])
      assert.strictEqual((await dry({ tool: "read", preset: "review" })).verdict, "allow")
      assert.strictEqual((await dry({ tool: "bssh" })).layer, "catalog")
    })

    it("are tried on an agent, and on a session with what it was given since", async () => {
      const tools = [
        { type: "agent_toolset_20260401", configs: [{ name: "bash", permission_policy: { type: "always_ask" } }] },
        { type: "mcp_toolset", mcp_server_name: "docs", configs: [{ name: "drop", enabled: false }] }
      ]
      const mcp_servers = [{ type: "url", name: "docs", url: "https://docs.example.com/mcp" }]
      const agent = made(await ask("POST", "/v1/agents", { name: "a", model: "demo", tools, mcp_servers }))
      const session = made(await ask("POST", "/v1/sessions", { agent: agent.id }))
      for (const named of [{ agent_id: agent.id }, { session_id: session.id }]) {
        const verdict = await dry({ tool: "bash", ...named })
        assert.deepStrictEqual([verdict.verdict, verdict.layer], ["ask", "tool"])
        assert.strictEqual((await dry({ tool: "find", server: "docs", ...named })).verdict, "ask")
        assert.strictEqual((await dry({ tool: "drop", server: "docs", ...named })).layer, "catalog")
        const open = [{ type: "rules", rules: [{ tool: "docs/*", then: "allow" }] }]
        assert.strictEqual((await dry({ tool: "find", server: "docs", policies: open, ...named })).verdict, "allow")
        const [status] = refused(await stranger("POST", "/v1/policies/dry_run", { tool: "bash", ...named }))
        assert.strictEqual(status, 404)
      }
      const both = { tool: "bash", agent_id: agent.id, session_id: session.id }
      assert.strictEqual(refused(await ask("POST", "/v1/policies/dry_run", both))[0], 400)
    })

    it("are an agent's too, by version, and a session's, which says them anew", async () => {
      const policies = rules("deny", { command: "rm *" })
      const rm = { tool: "bash", input: { command: "rm x" } }
      const judged = async (named: object) => {
        const { rule, verdict } = await dry({ ...rm, ...named })
        return [verdict, rule]
      }
      const agent = made(await ask("POST", "/v1/agents", { name: "held", model: "demo", troupe: { policies } }))
      assert.deepStrictEqual(agent.troupe.policies, policies)
      const two = made(await ask("POST", `/v1/agents/${agent.id}`, { tools: [{ type: "agent_toolset_20260401" }] }))
      assert.deepStrictEqual([two.version, two.troupe.policies], [2, policies])
      const three = made(await ask("POST", `/v1/agents/${agent.id}`, { troupe: { policies: [] } }))
      assert.deepStrictEqual([three.version, three.troupe.policies], [3, undefined])
      assert.deepStrictEqual(await judged({ agent_id: agent.id, agent_version: 2 }), [
        "deny",
        "agent.policies[0].rules[0]"
      ])
      assert.deepStrictEqual(await judged({ agent_id: agent.id }), ["allow", "tools.bash.always_allow"])

      const held = { type: "agent", id: agent.id, version: 2 }
      const free = made(await ask("POST", "/v1/sessions", { agent: held }))
      assert.deepStrictEqual([free.troupe.policies, free.agent.troupe.policies], [[], policies])
      const own = { agent: agent.id, troupe: { policies: [{ type: "preset", preset: "read_only" }] } }
      const session = made(await ask("POST", "/v1/sessions", own))
      const readOnly = ["deny", "session.policies[0].preset.read_only.no_writes"]
      assert.deepStrictEqual(await judged({ session_id: session.id }), readOnly)
      const fork = made(await ask("POST", `/v1/sessions/${session.id}/fork`, {}))
      assert.deepStrictEqual(await judged({ session_id: fork.id }), readOnly)
      const path = `/v1/sessions/${session.id}`
      const changed = made(await ask("POST", path, { troupe: { policies: rules("ask") } }))
      assert.deepStrictEqual(changed.troupe.policies, rules("ask"))
      assert.deepStrictEqual(await judged({ session_id: session.id }), ["ask", "session.policies[0].rules[0]"])
      // Whatever a session allows, its agent still denies.
      made(await ask("POST", `/v1/sessions/${free.id}`, { troupe: { policies: rules("allow") } }))
      assert.deepStrictEqual(await judged({ session_id: free.id }), ["deny", "agent.policies[0].rules[0]"])
      made(await ask("POST", path, { troupe: { policies: [] } }))
      made(await ask("POST", path, { troupe: { policies: [] } }))
      assert.deepStrictEqual(await judged({ session_id: session.id }), ["allow", "tools.bash.always_allow"])
      const updates = made(await ask("GET", `${path}/events?types[]=session.updated`)).data
      const told = updates.map(({ troupe }: { troupe: object }) => troupe)
      assert.deepStrictEqual(told, [own.troupe, { policies: rules("ask") }, { policies: [] }])

      for (const [wrong, place] of [
        [[{ type: "preset", preset: "brave" }], "troupe.policies.0.preset"],
        [[{ type: "rules", rules: [{ tool: "bash", then: "maybe" }] }], "troupe.policies.0.rules.0.then"],
        ["read_only", "troupe.policies"]
      ] as const) {
        for (const [at, body] of [
          ["/v1/agents", { name: "a", model: "demo" }],
          [`/v1/agents/${agent.id}`, {}],
          ["/v1/sessions", { agent: agent.id }],
          [path, {}]
        ] as const) {
          const [status, message] = refused(await ask("POST", at, { ...body, troupe: { policies: wrong } }))
          assert.deepStrictEqual([status, message.includes(place)], [400, true], `${at}: ${message}`)
        }
      }
    })
  })

  describe("model cards", () => {
    const key = "sk-a-key-of-ours-1234"
    const card = {
      name: "ours",
      provider: "openai-chat",
      model: "gpt-4.1",
      base_url: "https://models.example/v1",
      api_key: key
    }

    it("are tried when they are made, and show of their key the end", async () => {
      const created = await ask("POST", "/v1/model_cards", card, { "idempotency-key": "card-1" })
      const shown = made(created)
      assert.deepStrictEqual([shown.key_hint, shown.probe.status, shown.probe.model_listed], ["1234", "usable", true])
      assert.strictEqual(JSON.parse(probed.at(-1)!).provider.apiKey, key)
      const again = await ask("POST", "/v1/model_cards", card, { "idempotency-key": "card-1" })
      assert.strictEqual(again.text, created.text)
      const all = await ask("GET", "/v1/model_cards")
      const one = await reader("GET", `/v1/model_cards/${shown.id}`)
      for (const { text } of [created, all, one]) assert.notInclude(text, key)
      const models = made(await ask("GET", "/v1/models")).data.map(({ id }: { id: string }) => id)
      assert.include(models, "ours")
      assert.deepStrictEqual(refused(await ask("POST", "/v1/model_cards", card)), [
        409,
        "There is a model card ours already"
      ])
    })

    it("are models of the workspace, which are listed page by page", async () => {
      const { id } = made(await ask("POST", "/v1/model_cards", { ...card, name: "zweite" }))
      const page = async (query: string) => {
        const { data, ...rest } = made(await ask("GET", `/v1/models?${query}`))
        return { ids: data.map((one: { readonly id: string }) => one.id) as ReadonlyArray<string>, ...rest }
      }
      const { ids } = await page("limit=1000")
      assert.isAtLeast(ids.length, 2)
      const [first, second] = [ids[0]!, ids[1]!]
      assert.deepStrictEqual(await page("limit=1"), { ids: [first], has_more: true, first_id: first, last_id: first })
      assert.deepStrictEqual((await page(`limit=1&after_id=${first}`)).ids, [second])
      assert.deepStrictEqual(await page(`after_id=${ids.at(-1)}`), {
        ids: [],
        has_more: false,
        first_id: null,
        last_id: null
      })
      assert.deepStrictEqual(await page(`limit=1&before_id=${second}`), {
        ids: [first],
        has_more: false,
        first_id: first,
        last_id: first
      })
      assert.deepInclude(made(await ask("GET", "/v1/models/zweite")), { id: "zweite", type: "model" })
      assert.deepStrictEqual(refused(await ask("GET", "/v1/models/none")), [404, "Model none was not found."])
      made(await ask("DELETE", `/v1/model_cards/${id}`))
      assert.strictEqual(refused(await ask("GET", "/v1/models/zweite"))[0], 404)
    })

    it("travel to runners whole, and lie in the database sealed", async () => {
      const [secret] = await secrets(["ours", "other"])
      assert.deepStrictEqual([secret!.name, secret!.value.model], ["model/ours", "gpt-4.1"])
      assert.deepStrictEqual(secret!.value.provider, {
        name: "ours",
        kind: "openai-chat",
        baseUrl: "https://models.example/v1",
        apiKey: key
      })
      const stored = await world.node.run(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql<{ readonly row: string }>`
            SELECT row_to_json(c)::text || encode(secret, 'escape') AS row FROM model_cards c
            UNION ALL SELECT payload::text FROM events WHERE type LIKE 'ModelCard%'
            UNION ALL SELECT body FROM idempotency_keys WHERE body IS NOT NULL`
        )
      )
      assert.isAtLeast(stored.length, 3)
      for (const { row } of stored) assert.notInclude(row, key)
    })

    it("are moved to another row or sealed by another key to no use", async () => {
      const moved = await world.node.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`
            INSERT INTO model_cards SELECT gen_random_uuid(), workspace_id, 'copied', definition, secret, secret_version,
              key_hint, probe, created_at, updated_at FROM model_cards WHERE name = 'ours'`
          return yield* first
        })
      )
      assert.isString(moved)
      const [copied] = await secrets(["copied"])
      assert.deepStrictEqual(copied!.value, {})
      await world.node.run(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM model_cards WHERE name = 'copied'`)
      )
    })

    it("change by what is named, and send no key to a new address", async () => {
      const { id } = made(await ask("GET", "/v1/model_cards")).data[0]
      const price = { input: 1, output: 2, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 }
      answer = { usable: false, notes: ["401 no such key"], models: [] }
      const changed = made(await ask("POST", `/v1/model_cards/${id}`, { price }))
      assert.deepStrictEqual(
        [changed.price, changed.probe.status, changed.probe.reason],
        [price, "unusable", "401 no such key"]
      )
      const [secret] = await secrets(["ours"])
      assert.deepStrictEqual(secret!.value.price, {
        input: 1,
        output: 2,
        cacheRead: 0,
        cacheWrite5m: 0,
        cacheWrite1h: 0
      })
      assert.strictEqual(secret!.value.provider.apiKey, key)
      const elsewhere = { base_url: "https://elsewhere.example/v1" }
      assert.match(refused(await ask("POST", `/v1/model_cards/${id}`, elsewhere))[1], /give them again/)
      made(await ask("POST", `/v1/model_cards/${id}`, { ...elsewhere, api_key: "another-key-5678" }))
      assert.strictEqual(made(await ask("GET", `/v1/model_cards/${id}`)).key_hint, "5678")
      answer = { usable: true, notes: [], models: [] }
      const tried = made(await ask("POST", `/v1/model_cards/${id}/probe`))
      assert.deepStrictEqual([tried.probe.status, tried.probe.model_listed], ["usable", null])
    })

    it.each([
      [{ name: "demo" }, /name/],
      [{ name: "Ours" }, /name/],
      [{ name: undefined }, /name/],
      [{ provider: "module" }, /provider/],
      [{ base_url: "file:///etc/passwd" }, /base_url/],
      [{ base_url: "https://user:word@models.example" }, /base_url/],
      [{ provider: "azure", base_url: null }, /base_url/],
      [{ ad_token: "a-token" }, /ad_token/],
      [{ context_tokens: 8_000 }, /context_tokens/],
      [{ headers: { "x y": "1" } }, /headers/],
      [{ headers: { x: "1\r\ny: 2" } }, /headers/],
      [{ api_key: "with space" }, /api_key/],
      [{ module: "/tmp/own.mjs" }, /module/]
    ])("are refused with %j", async (changes, said) => {
      const [status, message] = refused(await ask("POST", "/v1/model_cards", { ...card, name: "bad", ...changes }))
      assert.strictEqual(status, 400)
      assert.match(message, said)
      assert.notInclude(message, key)
    })

    it("are stored untried where no runner is there", async () => {
      const theirs = made(await stranger("POST", "/v1/model_cards", { ...card, api_key: "short" }))
      assert.deepStrictEqual([theirs.probe.status, theirs.probe.reason], ["not_probed", "no runner is connected"])
      assert.isNull(theirs.key_hint)
      assert.strictEqual(refused(await ask("GET", `/v1/model_cards/${theirs.id}`))[0], 404)
    })

    it("are for administrators, hidden from other workspaces, and gone once they are deleted", async () => {
      const { id } = made(await ask("GET", "/v1/model_cards")).data[0]
      assert.strictEqual(refused(await reader("POST", "/v1/model_cards", card))[0], 403)
      await assertHidden(stranger, `/v1/model_cards/${id}`, "mcard")
      assert.strictEqual(refused(await ask("GET", "/v1/model_cards/env_011CZkYpogX7uDKUyvBTophP"))[0], 400)
      assert.deepStrictEqual(made(await ask("DELETE", `/v1/model_cards/${id}`)), { id, type: "model_card_deleted" })
      assert.strictEqual(refused(await ask("GET", `/v1/model_cards/${id}`))[0], 404)
      assert.deepStrictEqual(await secrets(["ours"]), [])
    })
  })

  describe("MCP servers", () => {
    const docs = {
      name: "docs",
      server: { type: "url", url: "https://docs.example.com/mcp" },
      options: { allowed_tools: ["search*"], timeout_ms: 5_000, sampling: true },
      headers: { Authorization: "Bearer of-the-docs" }
    }
    const toolset = { tools: [{ type: "mcp_toolset", mcp_server_name: "d" }] }
    const agentWith = (server: object) =>
      ask("POST", "/v1/agents", { name: "a", model: "demo", ...toolset, mcp_servers: [{ name: "d", ...server }] })

    it("are attached by id, and are in a session as they were when it began, without what is secret", async () => {
      const created = await ask("POST", "/v1/mcp_servers", docs)
      const { header_names, id } = made(created)
      assert.deepStrictEqual(header_names, ["Authorization"])
      assert.notInclude(created.text, "of-the-docs")
      const agent = made(await agentWith({ type: "registered", server_id: id }))
      assert.deepStrictEqual(agent.mcp_servers, [{ type: "registered", name: "d", server_id: id }])
      const opened = await ask("POST", "/v1/sessions", { agent: agent.id })
      const entry = { ...docs.server, name: "d", troupe: { ...docs.options, server_id: id } }
      assert.deepStrictEqual(made(opened).agent.mcp_servers, [entry])
      assert.notInclude(opened.text, "of-the-docs")
      const [secret] = await secrets([], made(opened).agent.mcp_servers)
      assert.deepStrictEqual([secret!.name, secret!.value], ["mcp/d", { headers: docs.headers }])

      made(await ask("POST", `/v1/mcp_servers/${id}`, { headers: { Authorization: "Bearer newer" } }))
      const [newer] = await secrets([], [entry])
      assert.deepStrictEqual([newer!.version, newer!.value], [2, { headers: { Authorization: "Bearer newer" } }])
      assert.deepStrictEqual(await secrets([], [{ ...entry, url: "https://evil.example/mcp" }]), [])
      const moved = { server: { type: "url", url: "https://elsewhere.example/mcp" } }
      assert.match(refused(await ask("POST", `/v1/mcp_servers/${id}`, moved))[1], /give them again/)

      assert.deepStrictEqual(refused(await ask("DELETE", `/v1/mcp_servers/${id}`)), [
        409,
        "The agent a uses this MCP server"
      ])
      made(await ask("POST", `/v1/agents/${agent.id}/archive`))
      made(await ask("DELETE", `/v1/mcp_servers/${id}`))
      assert.strictEqual(refused(await ask("GET", `/v1/mcp_servers/${id}`))[0], 404)
    })

    it("are asked by a runner what they have, with what sessions send them", async () => {
      const { id } = made(await ask("POST", "/v1/mcp_servers", { ...docs, name: "asked" }))
      const tools = [{ name: "search", description: "", arguments: [], read_only: false }]
      const listing = { tools, has_resources: true, has_prompts: false, problems: ["one is odd"] }
      has = { outcome: "listed", listing }
      const first = await ask("POST", `/v1/mcp_servers/${id}/probe`)
      assert.deepInclude(made(first), { server_id: id, status: "usable", reason: null, ...listing })
      const { secret, server } = askedServers.at(-1)!
      assert.deepStrictEqual(server, { ...docs.server, name: "asked", troupe: { ...docs.options, server_id: id } })
      assert.deepStrictEqual(JSON.parse(secret!), { headers: docs.headers })
      assert.notInclude(first.text, "of-the-docs")
      has = { outcome: "unauthorized", detail: "401" }
      const refusing = made(await ask("POST", `/v1/mcp_servers/${id}/probe`))
      assert.deepStrictEqual([refusing.status, refusing.reason, refusing.tools], ["login_required", "401", []])
      has = { outcome: "failed", detail: "it is away" }
      assert.strictEqual(made(await ask("POST", `/v1/mcp_servers/${id}/probe`)).status, "unusable")
      assert.strictEqual((await reader("POST", `/v1/mcp_servers/${id}/probe`)).status, 403)
      assert.strictEqual((await stranger("POST", `/v1/mcp_servers/${id}/probe`)).status, 404)

      const own = made(await stranger("POST", "/v1/mcp_servers", { ...docs, name: "theirs" }))
      const nobody = made(await stranger("POST", `/v1/mcp_servers/${own.id}/probe`))
      assert.deepStrictEqual([nobody.status, nobody.runner_id], ["not_probed", null])
      const program = { name: "program", server: { type: "stdio", command: "npx" } }
      const inside = made(await ask("POST", "/v1/mcp_servers", program))
      assert.match(made(await ask("POST", `/v1/mcp_servers/${inside.id}/probe`)).reason, /sandbox/)
      assert.lengthOf(askedServers, 3)
    })

    it("may write text with the session's model only while the workspace lets them", async () => {
      const { id } = made(await ask("POST", "/v1/mcp_servers", { ...docs, name: "writes" }))
      const agent = made(await agentWith({ type: "registered", server_id: id }))
      made(await ask("POST", "/v1/settings", { mcp_sampling: false }))
      const session = made(await ask("POST", "/v1/sessions", { agent: agent.id }))
      assert.strictEqual(session.agent.mcp_servers[0].troupe.sampling, false)
      made(await ask("POST", "/v1/settings", { mcp_sampling: true }))
    })

    it("may be programs of the sandbox, also without being in the list", async () => {
      const files = { type: "stdio", command: "npx", args: ["-y", "files"] }
      const listed = made(await ask("POST", "/v1/mcp_servers", { name: "files", server: files }))
      const agent = made(await agentWith({ type: "registered", server_id: listed.id }))
      const session = made(await ask("POST", "/v1/sessions", { agent: agent.id }))
      assert.deepStrictEqual(session.agent.mcp_servers[0].args, files.args)
      const inline = made(await agentWith({ ...files, troupe: { timeout_ms: 10 } }))
      assert.deepStrictEqual(inline.mcp_servers[0].troupe, { timeout_ms: 10 })
      const sent = { name: "x", server: files, headers: docs.headers }
      assert.match(refused(await ask("POST", "/v1/mcp_servers", sent))[1], /stdio/)
    })

    it.each([
      [{ server: { type: "url", url: "ftp://docs.example.com" } }, /url/],
      [{ server: { type: "url", url: "https://user:word@docs.example.com" } }, /url/],
      [{ server: { type: "pipe" } }, /server/],
      [{ name: "a/b" }, /name/],
      [{ options: { timeout_ms: 0 } }, /timeout_ms/],
      [{ options: { server_id: "x" } }, /server_id/],
      [{ headers: { "": "x" } }, /headers/]
    ])("are refused with %j", async (changes, said) => {
      const [status, message] = refused(await ask("POST", "/v1/mcp_servers", { ...docs, name: "bad", ...changes }))
      assert.strictEqual(status, 400)
      assert.match(message, said)
    })

    it("are refused by agents where they are none, another workspace's, or pretend to be one of the list", async () => {
      const theirs = made(await stranger("POST", "/v1/mcp_servers", docs))
      const [status, message] = refused(await agentWith({ type: "registered", server_id: theirs.id }))
      assert.deepStrictEqual([status, message], [400, `mcp_servers.0.server_id: there is no MCP server ${theirs.id}`])
      const pretending = { ...docs.server, troupe: { server_id: theirs.id } }
      assert.match(refused(await agentWith(pretending))[1], /server_id/)
      await assertHidden(ask, `/v1/mcp_servers/${theirs.id}`, "mcpsrv")
      assert.strictEqual(refused(await reader("POST", "/v1/mcp_servers", docs))[0], 403)
    })
  })
})
