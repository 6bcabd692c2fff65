import type { Agent } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { choicesOf, usualChoices, withChoice, withChoices } from "../../src/agents/toolChoices.logic.ts"

const toolset = {
  type: "mcp_toolset",
  mcp_server_name: "tracker",
  configs: [
    { name: "list", permission_policy: { type: "always_allow" } },
    { name: "drop", enabled: false, allowed_domains: ["example.com"] },
    { name: "odd", permission_policy: { type: "some_of_ours", rule: 1 } }
  ]
}
const builtIn = { type: "agent_toolset_20260401" }
const tools = [builtIn, toolset] as unknown as Agent["tools"]

describe("what an agent may do with a server's tools", () => {
  it("is read from its toolset, and is to ask where nothing is said", () => {
    assert.deepStrictEqual(choicesOf(tools, "tracker"), {
      usual: "always_ask",
      tools: { list: "always_allow", drop: "off", odd: "always_ask" }
    })
    assert.deepStrictEqual(choicesOf(tools, "another"), usualChoices)
  })

  it("stays as it is, to the letter, where nothing is chosen anew", () => {
    assert.deepStrictEqual(withChoices(tools, { tracker: choicesOf(tools, "tracker") }), tools)
    assert.deepStrictEqual(withChoices(tools, {}), tools)
  })

  it("is chosen for one tool, given back to what holds for all, or changed for all", () => {
    const before = choicesOf(tools, "tracker")
    const chosen = withChoice(withChoice(withChoice(before, "drop", "always_ask"), "list", null), "new", "off")
    const [, after] = withChoices(tools, { tracker: { ...chosen, usual: "always_allow" } })
    assert.deepStrictEqual(after, {
      type: "mcp_toolset",
      mcp_server_name: "tracker",
      default_config: { enabled: true, permission_policy: { type: "always_allow" } },
      configs: [
        {
          name: "drop",
          enabled: true,
          permission_policy: { type: "always_ask" },
          allowed_domains: ["example.com"]
        },
        { name: "odd", permission_policy: { type: "some_of_ours", rule: 1 } },
        { name: "new", enabled: false }
      ]
    } as never)
  })
})
