import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import Anthropic from "@anthropic-ai/sdk"
import { Agent } from "@troupe/domain/api/Agents"
import { Environment } from "@troupe/domain/api/Environments"
import { system } from "@troupe/domain/Actor"
import { Effect, Option, Redacted, Schema } from "effect"
import { RunnerRegistry } from "../../src/runners/RunnerRegistry.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { dial, harness } from "../support/DialingRunner.ts"
import { eventually } from "../support/TestCluster.ts"
import { register } from "../support/TestNode.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

/** What a call is refused with: status, type, and code or text. */
const refusal = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => error
  )
  assert.instanceOf(error, Anthropic.APIError)
  assert.match(error.requestID ?? "", /^req_/)
  const body = error.error as { readonly error: { readonly type: string; readonly message: string } }
  return [error.status, body.error.type, body.error.message] as const
}

describe("agents and environments, through the Anthropic SDK", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  beforeAll(async () => {
    world = await startGateway()
  }, 120_000)
  afterAll(() => world?.end())

  const agents = () => world.client.beta.agents
  const environments = () => world.client.beta.environments

  it("are created with every default written out", async () => {
    const agent = await agents().create({
      name: "coder",
      model: { id: "claude-opus-4-6", effort: "high" },
      tools: [
        { type: "agent_toolset_20260401", configs: [{ name: "bash", permission_policy: { type: "always_ask" } }] },
        { type: "mcp_toolset", mcp_server_name: "docs" }
      ],
      mcp_servers: [{ type: "url", name: "docs", url: "https://docs.example.com/mcp" }]
    })
    Schema.decodeUnknownSync(Agent)(JSON.parse(JSON.stringify(agent)))
    assert.match(agent.id, /^agent_01/)
    assert.strictEqual(agent.version, 1)
    assert.deepStrictEqual(agent.model, { id: "claude-opus-4-6", effort: { type: "high" } })
    assert.deepStrictEqual(
      [agent.description, agent.system, agent.multiagent, agent.archived_at],
      [null, null, null, null]
    )
    const allow = { enabled: true, permission_policy: { type: "always_allow" } }
    const ask = { enabled: true, permission_policy: { type: "always_ask" } }
    assert.deepStrictEqual(agent.tools as unknown, [
      { type: "agent_toolset_20260401", default_config: allow, configs: [{ name: "bash", type: "bash", ...ask }] },
      { type: "mcp_toolset", mcp_server_name: "docs", default_config: ask, configs: [] }
    ])
  })

  it("have versions, one for each change", async () => {
    const one = await agents().create({ name: "a", model: "demo", system: "be kind", metadata: { a: "1", b: "2" } })
    const same = await agents().update(one.id, { name: "a", version: 1 })
    assert.strictEqual(same.version, 1)
    const two = await agents().update(one.id, { system: null, metadata: { a: null, c: "3" }, version: 1 })
    assert.deepStrictEqual([two.version, two.system, two.metadata], [2, null, { b: "2", c: "3" }])
    assert.deepStrictEqual(await refusal(agents().update(one.id, { name: "b", version: 1 })), [
      409,
      "invalid_request_error",
      "Agent is at version 2, not 1"
    ])
    assert.strictEqual((await agents().retrieve(one.id, { version: 1 })).system, "be kind")
    assert.deepStrictEqual(await refusal(agents().retrieve(one.id, { version: 9 })), [
      404,
      "not_found_error",
      "Agent version not found."
    ])
    const versions = []
    for await (const version of agents().versions.list(one.id, { limit: 1 })) versions.push(version.version)
    assert.deepStrictEqual(versions, [2, 1])
  })

  it("change one after the other, however many change them at once", async () => {
    const { id } = await agents().create({ name: "n", model: "demo" })
    const updates = await Promise.all(Array.from({ length: 8 }, (_, n) => agents().update(id, { name: `n${n}` })))
    assert.deepStrictEqual(updates.map(({ version }) => version).sort(), [2, 3, 4, 5, 6, 7, 8, 9])
    const once = Array.from({ length: 4 }, (_, n) => agents().update(id, { name: `m${n}`, version: 9 }))
    const held = (await Promise.allSettled(once)).filter(({ status }) => status === "fulfilled")
    assert.strictEqual(held.length, 1)
  })

  it("are archived for good, and then hidden from lists", async () => {
    const { id } = await agents().create({ name: "old", model: "demo" })
    const archived = await agents().archive(id)
    assert.isString(archived.archived_at)
    assert.strictEqual((await agents().archive(id)).archived_at, archived.archived_at)
    const [, , message] = await refusal(agents().update(id, { name: "new" }))
    assert.strictEqual(message, "Cannot modify archived agent")
    const ids = async (query: object) => {
      const found: Array<string> = []
      for await (const agent of agents().list({ limit: 2, ...query })) found.push(agent.id)
      return found
    }
    assert.notInclude(await ids({}), id)
    const all = await ids({ include_archived: true })
    assert.include(all, id)
    assert.strictEqual(new Set(all).size, all.length)
    const { created_at: at } = archived
    const then = { include_archived: true, "created_at[gte]": at, "created_at[lte]": at }
    assert.deepStrictEqual(await ids(then), [id])
    const before = new Date(Date.parse(at) - 1).toISOString()
    assert.notInclude(await ids({ include_archived: true, "created_at[lte]": before }), id)
    assert.strictEqual((await agents().retrieve(id)).id, id)
    assert.deepStrictEqual(
      await refusal(world.client.beta.sessions.create({ agent: id, environment_id: undefined as never })),
      [400, "invalid_request_error", `agent ${id} is archived and cannot be used to create a session`]
    )
  })

  const bad = (change: object) => agents().create({ name: "x", model: "demo", ...change } as never)
  const toolset = (...configs: ReadonlyArray<object>) => ({ tools: [{ type: "agent_toolset_20260401", configs }] })

  it.each([
    ["no name", { name: undefined }, /name/],
    ["an empty name", { name: "" }, /name/],
    ["a number for a name", { name: 3 }, /name/],
    ["a field that is none", { nome: "x" }, /nome/],
    ["a field deep inside that is none", toolset({ name: "bash", enabld: true }), /tools\.0\.configs\.0\.enabld/],
    ["a tool that is none", toolset({ name: "bsh" }), /unknown tool/],
    ["a tool configured twice", toolset({ name: "bash" }, { name: "bash" }), /configured twice/],
    ["two toolsets", { tools: [{ type: "agent_toolset_20260401" }, { type: "agent_toolset_20260401" }] }, /already/],
    ["a policy that is none", toolset({ name: "bash", permission_policy: { type: "maybe" } }), /permission_policy/],
    ["a type of tool that is none", { tools: [{ type: "magic" }] }, /unknown tool type/],
    ["a server nobody uses", { mcp_servers: [{ type: "url", name: "d", url: "https://d" }] }, /not referenced/],
    ["a toolset without a server", { tools: [{ type: "mcp_toolset", mcp_server_name: "d" }] }, /not in mcp_servers/],
    ["a skill that is none", { skills: [{ type: "custom", skill_id: "skill_1" }] }, /no skill/],
    ["17 pairs", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ""])) }, /metadata/],
    ["a name too long", { name: "x".repeat(257) }, /name/],
    ["a NUL", { name: "a\u0000b" }, /^name: Holds a NUL character or half of a surrogate pair$/],
    ["half a pair", { system: "\ud800" }, /^system: Holds .* half of a surrogate pair$/],
    ["a NUL deep inside", { metadata: { team: "\0" } }, /^metadata\.team: Holds/],
    ["half a pair in a list", toolset({ name: "bash" }, { name: "\udfff" }), /^tools\.0\.configs\.1\.name: Holds/]
  ])("are refused with %s", async (_, change, said) => {
    const [status, type, message] = await refusal(bad(change))
    assert.deepStrictEqual([status, type], [400, "invalid_request_error"])
    assert.match(message, said)
  })

  const tools = (count: number) => ({
    tools: Array.from({ length: count }, (_, n) => ({
      ...{ type: "custom", name: `t${n}`, description: "d" },
      input_schema: { type: "object" }
    }))
  })
  const servers = (count: number) => {
    const names = Array.from({ length: count }, (_, n) => `m${n}`)
    return {
      mcp_servers: names.map((name) => ({ type: "url", name, url: "https://a.example" })),
      tools: names.map((name) => ({ type: "mcp_toolset", mcp_server_name: name }))
    }
  }
  const pairs = (count: number) => ({
    metadata: Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, ""]))
  })
  const skills = Array.from({ length: 21 }, (_, n) => ({ type: "custom", skill_id: `skill_${n}` }))

  it.each([
    ["256 characters of name", { name: "x".repeat(256) }, { name: "x".repeat(257) }, /^name: .*256/],
    [
      "2,048 of description",
      { description: "x".repeat(2_048) },
      { description: "x".repeat(2_049) },
      /^description: .*2048/
    ],
    ["100,000 of system", { system: "x".repeat(100_000) }, { system: "x".repeat(100_001) }, /^system: .*100000/],
    ["256 tools", tools(256), tools(257), /^tools: .*256/],
    [
      "tool names of 128",
      { tools: [{ ...tools(1).tools[0], name: "x".repeat(128) }] },
      { tools: [{ ...tools(1).tools[0], name: "x".repeat(129) }] },
      /^tools\.0\.name: /
    ],
    ["20 servers", servers(20), servers(21), /^mcp_servers: .*20/],
    ["16 pairs of metadata", pairs(16), pairs(17), /^metadata: .*16/],
    ["keys of 64", { metadata: { ["k".repeat(64)]: "" } }, { metadata: { ["k".repeat(65)]: "" } }, /^metadata.*64/],
    ["values of 512", { metadata: { k: "v".repeat(512) } }, { metadata: { k: "v".repeat(513) } }, /^metadata\.k: .*512/]
  ])("have %s and no more", async (_, most, more, said) => {
    assert.strictEqual((await bad(most)).version, 1)
    const [status, type, message] = await refusal(bad(more))
    assert.deepStrictEqual([status, type], [400, "invalid_request_error"])
    assert.match(message, said)
  })

  it("have no skills, of which 20 would be the most", async () => {
    assert.match((await refusal(bad({ skills: skills.slice(1) })))[2], /no skill/)
    assert.match((await refusal(bad({ skills })))[2], /^skills: .*20/)
  })

  it("are not found by ids of nobody, and ids that are none are said to be", async () => {
    assert.deepStrictEqual((await refusal(agents().retrieve("agent_011CZkYpogX7uDKUyvBTophP")))[0], 404)
    assert.deepStrictEqual((await refusal(agents().retrieve("env_011CZkYpogX7uDKUyvBTophP")))[0], 400)
    assert.deepStrictEqual((await refusal(agents().list({ page: "page_zzz" })))[2], "invalid page cursor")
  })

  it("keep environments as the contract has them, and our own settings beside", async () => {
    const environment = await environments().create({
      name: "e",
      config: { type: "cloud", networking: { type: "limited", allowed_hosts: ["*.example.com"] } },
      troupe: { size: "small", backend: "docker" }
    } as never)
    Schema.decodeUnknownSync(Environment)(JSON.parse(JSON.stringify(environment)))
    assert.deepStrictEqual(environment.config as unknown, {
      type: "cloud",
      networking: {
        type: "limited",
        allowed_hosts: ["*.example.com"],
        allow_mcp_servers: false,
        allow_package_managers: false
      },
      packages: { type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] }
    })
    const { id } = environment
    const [status, , message] = await refusal(
      environments().update(id, { config: { type: "cloud", packages: { pip: ["ruff"] } } })
    )
    assert.deepStrictEqual([status, /package/.test(message)], [400, true])
    const allowed = await environments().update(id, {
      config: {
        type: "cloud",
        networking: { type: "limited", allow_package_managers: true },
        packages: { pip: ["ruff"] }
      }
    })
    const { networking, packages } = allowed.config as Extract<typeof allowed.config, { type: "cloud" }>
    assert.deepStrictEqual(packages.pip, ["ruff"])
    assert.deepStrictEqual((networking as { allowed_hosts: Array<string> }).allowed_hosts, ["*.example.com"])
    const changed = environments().update(id, { config: { type: "self_hosted" } })
    await changed.then(
      () => assert.fail(),
      (error) => assert.strictEqual(error.errorCode, "invalid_config_type_change")
    )
    await environments().archive(id)
    await environments()
      .update(id, { name: "f" })
      .then(
        () => assert.fail(),
        (error) => assert.strictEqual(error.errorCode, "environment_archived")
      )
    assert.deepStrictEqual(await environments().delete(id), { id, type: "environment_deleted" } as never)
    assert.strictEqual((await refusal(environments().retrieve(id)))[0], 404)
  })

  it("name backends, profiles and options that there are, at the place where they do not", async () => {
    const save = (troupe: object, config?: object) =>
      environments().create({ name: "named", troupe, ...(config === undefined ? {} : { config }) } as never)
    const refused = async (troupe: object, config?: object) => {
      const [status, type, message] = await refusal(save(troupe, config))
      assert.deepStrictEqual([status, type], [400, "invalid_request_error"])
      return message
    }
    assert.strictEqual(
      await refused({ backend: "moon" }),
      "troupe.backend: there is no sandbox backend moon; known are bubblewrap, docker, local, none"
    )
    const gitlab = { profile: "gitlab", options: {} }
    assert.match(await refused({ preparation: gitlab }), /^troupe\.preparation\.profile: .*azure, github, none$/)
    assert.strictEqual(
      await refused({ preparation: { profile: "github", options: { name: "Ada" } } }),
      "troupe.preparation.options.email: the profile github needs it"
    )
    assert.match(
      await refused({ host_variables: ["CORPORATE_CA"] }),
      /^troupe\.host_variables\.0: no runner passes on CORPORATE_CA of its host \(passed on are none\)/
    )
    assert.match(await refused({ size: "enormous" }), /^troupe\.size: /)
    assert.match(await refused({ runner_labels: [""] }), /^troupe\.runner_labels\.0: /)
    assert.match(await refused({ runner_labels: "gpu" }), /^troupe\.runner_labels: /)
    assert.match(
      await refused({ backend: "local" }, { type: "cloud", packages: { apt: ["jq"] } }),
      /^config\.packages\.apt: the backend local would change the host/
    )

    const workspaceId = await world.node.run(Effect.flatMap(Workspaces, ({ first }) => first))
    const runner = await register(world.node, workspaceId, { name: "own" })
    const dialled = await dial({
      gateway: world.node.gateway,
      credential: Redacted.make(runner.credential),
      hello: { sandboxes: [harness("moon")], profiles: ["gitlab"], hostVariables: ["CORPORATE_CA"] }
    })
    await dialled.greeted
    await eventually(async () => dialled.calls.includes("Asks"), "the runner is registered")
    const { id } = await save({ backend: "moon", preparation: gitlab, host_variables: ["CORPORATE_CA"] })
    await dialled.cut()
    assert.match(await refused({ host_variables: ["HOME"] }), /passed on are CORPORATE_CA\)/)
    assert.match(await refused({ backend: "mars" }), /known are bubblewrap, docker, local, moon, none/)

    const { tokenId } = Option.getOrThrow(
      await world.node.run(Effect.flatMap(RunnerRegistry, ({ find }) => find(runner.runnerId)))
    )
    await world.node.run(Effect.flatMap(Tokens, ({ revoke }) => revoke(workspaceId, tokenId, system)))
    assert.match(await refused({ backend: "moon" }), /there is no sandbox backend moon/)
    assert.strictEqual((await environments().update(id, { name: "renamed" })).name, "renamed")
    const larger = await refusal(environments().update(id, { troupe: { size: "large" } } as never))
    assert.match(larger[2], /there is no sandbox backend moon/)
  })
})
