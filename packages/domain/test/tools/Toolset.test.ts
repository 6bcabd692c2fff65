import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../src/Json.ts"
import { builtInTools, toolEntries } from "../../src/tools/Toolset.ts"

const toolset = (more: JsonObject = {}): JsonObject => ({ type: "agent_toolset_20260401", ...more })
const custom = (name: string): JsonObject => ({
  type: "custom",
  name,
  description: "d",
  input_schema: { type: "object" }
})

const names = (...tools: ReadonlyArray<JsonObject>) =>
  toolEntries(tools).entries.map((entry) => (entry._tag === "Mcp" ? entry.server : entry.name))
const problems = (...tools: ReadonlyArray<JsonObject>) =>
  toolEntries(tools).problems.map(({ at, code }) => `${at} ${code}`)

describe("An agent's list of tools", () => {
  it("has all built-in tools where it names the toolset, allowed if it does not say otherwise", () => {
    assert.deepStrictEqual(names(toolset()), [...builtInTools])
    const [first] = toolEntries([toolset()]).entries
    assert.deepStrictEqual(first?._tag === "BuiltIn" && first.config, { permission_policy: { type: "always_allow" } })
  })

  it("switches tools on and off one by one, over its defaults", () => {
    assert.deepStrictEqual(
      names(toolset({ configs: [{ name: "bash", enabled: false }] })),
      builtInTools.filter((name) => name !== "bash")
    )
    const only = toolset({ default_config: { enabled: false }, configs: [{ name: "read", enabled: true }] })
    assert.deepStrictEqual(names(only), ["read"])
  })

  it("gives a tool its own policy, over the default's", () => {
    const ask = { type: "always_ask" }
    const list = toolset({
      default_config: { permission_policy: ask },
      configs: [{ name: "read", permission_policy: { type: "always_allow" } }]
    })
    const policies = toolEntries([list]).entries.map(
      (entry) => entry._tag === "BuiltIn" && [entry.name, entry.config.permission_policy]
    )
    assert.deepStrictEqual(policies.slice(0, 2), [
      ["bash", ask],
      ["read", { type: "always_allow" }]
    ])
  })

  it("asks before tools of servers, if it does not say otherwise", () => {
    const [entry] = toolEntries([{ type: "mcp_toolset", mcp_server_name: "github" }]).entries
    assert.deepStrictEqual(entry?._tag === "Mcp" && entry.defaults, { permission_policy: { type: "always_ask" } })
  })

  it("gives what it can, and says what is wrong with the rest", () => {
    assert.deepStrictEqual(problems({ type: "other" }, {}, custom("ok")), [
      "tools[0] unknown_type",
      "tools[1] unknown_type"
    ])
    assert.deepStrictEqual(problems(custom("has space"), { type: "custom", name: "x" }), [
      "tools[0] invalid",
      "tools[1] invalid"
    ])
    assert.deepStrictEqual(problems(toolset({ configs: [{ name: "fly" }, { name: "bash" }, { name: "bash" }] })), [
      "tools[0].configs[0] unknown_tool",
      "tools[0].configs[2] duplicate"
    ])
    assert.deepStrictEqual(names({ type: "other" }, custom("ok")), ["ok"])
  })

  it("does not give a tool whose schema is none", () => {
    const wrong = { ...custom("odd"), input_schema: { type: "object", properties: { a: { type: "text" } } } }
    const [problem] = toolEntries([wrong]).problems
    assert.strictEqual(problem?.detail, "the input_schema of odd has something for type that can't be there")
    assert.deepStrictEqual(names(wrong, custom("ok")), ["ok"])
  })

  it("does not give a tool that is set up wrong", () => {
    const wrong = toolset({
      configs: [
        { name: "bash", enabled: "no" },
        { name: "web_fetch", allowed_domains: ["a"], blocked_domains: ["b"] }
      ]
    })
    assert.deepStrictEqual(problems(wrong), ["tools[0].configs[0] invalid", "tools[0].configs[1] invalid"])
    assert.notInclude(names(wrong), "bash")
    assert.notInclude(names(wrong), "web_fetch")
  })

  it("gives a name once, to the first that has it", () => {
    assert.deepStrictEqual(problems(custom("a"), custom("a")), ["tools[1] duplicate"])
    assert.include(problems(custom("bash"), toolset()), "tools[1] duplicate")
    assert.strictEqual(problems(toolset(), toolset()).length, builtInTools.length)
  })

  it("has an end", () => {
    const many = Array.from({ length: 300 }, (_, index) => custom(`tool_${index}`))
    assert.strictEqual(names(...many).length, 256)
    assert.deepStrictEqual(problems(...many)[0], "tools[256] too_many")
    assert.strictEqual(problems(...many).length, 44)
  })
})
