import type { Agent, Environment, Token } from "@troupe/client"
import { assert, describe, it } from "vitest"
import {
  changeOf,
  permissionOf,
  policiesOf,
  serversOf,
  toolset,
  toolsOf,
  withServers
} from "../../src/agents/agents.logic.ts"
import { agentToTry, isOutdated } from "../../src/agents/try.logic.ts"
import {
  bodyOf,
  definitionOf,
  draftOf,
  hostsOf,
  networkOf,
  packagesOf
} from "../../src/environments/environments.logic.ts"
import { living, toggled } from "../../src/keys/keys.logic.ts"
import { lacks, standingOf } from "../../src/runners/runners.logic.ts"
import { readObject } from "../../src/ui/readObject.logic.ts"

const troupe = { harness: null, aux_model: null }

describe("a try", () => {
  const agent = {
    id: "agent_1",
    version: 3,
    name: "A",
    model: { id: "demo" },
    system: null,
    tools: [{ type: "custom", name: "deploy" }, toolset("always_allow")],
    troupe
  } as unknown as Agent

  it("is of the agent as it stands, where nothing of it was changed that a try has", () => {
    const draft = { name: "another name", model: "demo", system: "", permission: "always_allow", servers: [] } as const
    assert.deepStrictEqual(agentToTry(agent, changeOf(agent, draft)), { type: "agent", id: "agent_1", version: 3 })
  })

  it("is of what is in the form, which need not be saved", () => {
    const draft = { name: "A", model: "large", system: "Be brief.", permission: "always_ask", servers: [] } as const
    const tried = agentToTry(agent, changeOf(agent, draft))
    assert.deepStrictEqual(tried as object, {
      type: "agent_with_overrides",
      id: "agent_1",
      version: 3,
      model: "large",
      system: "Be brief.",
      tools: [toolset("always_ask"), { type: "custom", name: "deploy" }]
    })
    assert.isFalse(isOutdated(tried, agentToTry(agent, changeOf(agent, draft))))
    assert.isTrue(isOutdated(tried, agentToTry(agent, changeOf(agent, { ...draft, system: "Be long." }))))
  })
})

describe("agents", () => {
  it("say what they may use", () => {
    const agent = {
      tools: [toolset("always_ask"), { type: "custom", name: "deploy" }],
      mcp_servers: [{}]
    } as unknown as Agent
    assert.strictEqual(toolsOf(agent), "built-in tools, deploy, 1 MCP server")
    assert.strictEqual(toolsOf({ tools: [], mcp_servers: [] } as unknown as Agent), "no tools")
    assert.strictEqual(permissionOf(agent), "always_ask")
    assert.strictEqual(permissionOf(null), "always_allow")
  })

  it("are given servers of the list with their tools, and lose them, whatever else they have", () => {
    const by = { type: "url", name: "own", url: "https://own.example" }
    const ofOwn = { type: "mcp_toolset", mcp_server_name: "own" }
    const agent = { name: "A", model: { id: "m" }, mcp_servers: [by], tools: [toolset("always_ask"), ofOwn], troupe }
    const docs = { id: "mcpsrv_1", name: "docs" }
    const given = withServers(agent as never, [docs])
    assert.deepStrictEqual(given as object, {
      mcp_servers: [by, { type: "registered", name: "docs", server_id: "mcpsrv_1" }],
      tools: [...agent.tools, { type: "mcp_toolset", mcp_server_name: "docs" }]
    })
    assert.deepStrictEqual(serversOf(given as never), [docs])
    assert.deepStrictEqual(withServers(given as never, [docs]), given)
    assert.deepStrictEqual(withServers(given as never, []) as object, { mcp_servers: [by], tools: agent.tools })
    const before = { ...agent, ...given } as unknown as Agent
    const draft = { name: "A", model: "m", system: "", permission: "always_ask", servers: [docs] } as const
    assert.deepStrictEqual(Object.keys(changeOf(before, draft)), ["name", "model", "system"])
    assert.deepStrictEqual(changeOf(before, { ...draft, servers: [] })["tools"] as object, agent.tools)
  })

  it("are held to policies of their own, which stay as they are where they are left alone", () => {
    const safe = { type: "preset", preset: "safe" }
    const held = {
      ...{ name: "A", model: { id: "m" }, system: null, mcp_servers: [], tools: [toolset("always_allow")] },
      troupe: { ...troupe, policies: [safe] }
    } as unknown as Agent
    const draft = { name: "A", model: "m", system: "", permission: "always_allow", servers: [] } as const
    const said = (policies: string) => changeOf(held, { ...draft, policies })["troupe"] as object
    assert.deepStrictEqual(JSON.parse(policiesOf(held)), [safe])
    assert.isUndefined(changeOf(held, draft)["troupe"])
    assert.isUndefined(said(policiesOf(held)))
    assert.isUndefined(said("["))
    assert.deepStrictEqual(said("[]"), { policies: [] })
    assert.deepStrictEqual(said('[{"type":"always_ask"}]'), { policies: [{ type: "always_ask" }] })
  })

  it("are read from JSON, or it is said what is wrong with it", () => {
    assert.deepStrictEqual(readObject('{"name":"a"}', "An agent"), { _tag: "Read", value: { name: "a" } })
    assert.deepStrictEqual(readObject("[]", "An agent"), { _tag: "Wrong", why: "An agent is a JSON object." })
    assert.strictEqual(readObject("{", "An agent")._tag, "Wrong")
  })
})

describe("environments", () => {
  const made = (networking: object, packages: object = {}) =>
    ({
      config: { type: "cloud", networking, packages: { type: "packages", ...packages } },
      troupe: {}
    }) as unknown as Environment

  it("say where their programs may connect to", () => {
    const limited = { type: "limited", allowed_hosts: [], allow_mcp_servers: false, allow_package_managers: false }
    assert.strictEqual(networkOf(made({ type: "unrestricted" })), "Everywhere")
    assert.strictEqual(networkOf(made(limited)), "Nowhere")
    assert.strictEqual(
      networkOf(made({ ...limited, allowed_hosts: ["a.com"], allow_package_managers: true })),
      "a.com, package registries"
    )
    assert.strictEqual(packagesOf(made(limited, { npm: ["a", "b"], pip: [] })), "2 npm")
  })

  it("are changed by what their form shows, and keep the rest", () => {
    const limited = {
      type: "limited",
      allowed_hosts: ["a.com"],
      allow_mcp_servers: true,
      allow_package_managers: false
    }
    const before = { ...made(limited, { npm: ["a"] }), name: "Walled", description: null } as Environment
    const draft = draftOf(before)
    assert.deepStrictEqual(bodyOf(draft, before), {
      name: "Walled",
      description: null,
      config: { type: "cloud", networking: limited }
    } as never)
    assert.deepStrictEqual(bodyOf({ ...draft, reach: "unrestricted" }, before).config, {
      type: "cloud",
      networking: { type: "unrestricted" }
    })
    const own = { ...before, config: { type: "self_hosted" } } as Environment
    assert.deepStrictEqual(bodyOf({ ...draftOf(own), description: " for us " }, own), {
      name: "Walled",
      description: "for us"
    })
    assert.include(definitionOf(before), '"npm"')
  })

  it("begin with named hosts only", () => {
    assert.deepStrictEqual(bodyOf({ ...draftOf(null), name: " New ", hosts: "a.com" }, null), {
      name: "New",
      description: null,
      config: {
        type: "cloud",
        networking: {
          type: "limited",
          allowed_hosts: ["a.com"],
          allow_mcp_servers: false,
          allow_package_managers: true
        }
      }
    })
  })

  it("take hosts however people part them", () => {
    assert.deepStrictEqual(hostsOf(" a.com, b.com\n*.c.com "), ["a.com", "b.com", "*.c.com"])
  })
})

describe("runners", () => {
  it("stand somewhere, and say what they lack and why", () => {
    assert.strictEqual(standingOf({ status: "connected", draining: true }).text, "Draining")
    assert.strictEqual(standingOf({ status: "away", draining: false }).light, "waiting")
    const unusable = [
      { kind: "sandbox", name: "docker", reasons: ["no engine answers", "start dockerd"] },
      { kind: "harness", name: "codex", reasons: [] }
    ] as const
    assert.deepStrictEqual(lacks({ unusable }), [
      { what: "docker", why: "no engine answers; start dockerd" },
      { what: "codex", why: "It can't be used there." }
    ])
  })
})

describe("keys", () => {
  it("are shown while they open something, API keys first", () => {
    const token = (name: string, kind: string, revoked_at: string | null = null) =>
      ({ name, kind, revoked_at }) as unknown as Token
    const all = [token("r", "runner"), token("b", "api_key"), token("gone", "api_key", "2026"), token("a", "api_key")]
    assert.deepStrictEqual(
      living(all).map(({ name }) => name),
      ["a", "b", "r"]
    )
  })

  it("have their scopes in one order, however they are chosen", () => {
    assert.deepStrictEqual(toggled(["approve"], "read"), ["read", "approve"])
    assert.deepStrictEqual(toggled(["read", "approve"], "read"), ["approve"])
  })
})
