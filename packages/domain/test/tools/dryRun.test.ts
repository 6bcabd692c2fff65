import { assert, describe, it } from "@effect/vitest"
import { dryRun, type SupposedCall } from "../../src/tools/dryRun.ts"
import { policyLayers } from "../../src/tools/PolicyLayers.ts"

const layers = (more: object = {}) =>
  policyLayers({ server: [], workspace: [], agent: [], session: [], turnPreset: null, ...more })

const call = (name: string, more: Partial<SupposedCall> = {}): SupposedCall => ({
  name,
  server: null,
  input: {},
  readOnly: false,
  ...more
})

const judged = (
  asked: SupposedCall,
  more: object = {},
  tools: ReadonlyArray<object> | null = null,
  unisolated = false
) => {
  const { permission, rule, speaker } = dryRun({ layers: layers(more), tools: tools as never, unisolated }, asked)
  return [permission, speaker, rule] as const
}

describe("a dry run", () => {
  it("knows of built-in tools what runners know", () => {
    const readOnly = { turnPreset: "read_only" }
    assert.deepStrictEqual(judged(call("read"), readOnly)[0], "allow")
    assert.deepStrictEqual(judged(call("write"), readOnly), ["deny", "turn", "turn.preset.read_only.no_writes"])
  })

  it("looks at each piece of a script, and at paths as they are meant", () => {
    const rules = (tool: string, when: object) => ({
      server: [{ type: "rules", rules: [{ tool, when, then: "deny" }] }]
    })
    const script = call("bash", { input: { command: "cd a && git push" } })
    assert.deepStrictEqual(judged(script, rules("bash", { command: "git push*" })), [
      "deny",
      "server",
      "server.policies[0].rules[0]"
    ])
    const path = call("edit", { input: { file_path: "/workspace/x/../.env" } })
    assert.strictEqual(judged(path, rules("edit", { file_path: ".env" }))[0], "deny")
  })

  it("says whose word counted: the strictest layer's, or the tool's own", () => {
    const asks = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }]
    assert.deepStrictEqual(judged(call("bash"), {}, asks), ["ask", "tool", "tools.bash.always_ask"])
    const allowing = { workspace: [{ type: "always_allow" }], session: [{ type: "preset", preset: "review" }] }
    assert.deepStrictEqual(judged(call("bash"), allowing, asks).slice(0, 2), ["ask", "session"])
    assert.deepStrictEqual(judged(call("bash"), {}, null, true), ["ask", "isolation", "isolation.none"])
    assert.deepStrictEqual(judged(call("bash"), { workspace: [{ type: "no such policy" }] }).slice(0, 2), [
      "ask",
      "workspace"
    ])
  })

  it("denies what the agent does not have", () => {
    const some = [{ type: "agent_toolset_20260401", configs: [{ name: "bash", enabled: false }] }]
    assert.deepStrictEqual(judged(call("bash"), {}, some)[1], "catalog")
    assert.deepStrictEqual(judged(call("find", { server: "docs" }), {}, some)[1], "catalog")
    assert.deepStrictEqual(judged(call("nothing"))[1], "catalog")
  })

  it("calls a server's tool as a model does", () => {
    const open = { workspace: [{ type: "rules", rules: [{ tool: "mcp__docs__find", then: "allow" }] }] }
    assert.strictEqual(judged(call("find", { server: "docs" }), open)[0], "allow")
    assert.strictEqual(judged(call("find", { server: "docs" }))[0], "ask")
  })
})
