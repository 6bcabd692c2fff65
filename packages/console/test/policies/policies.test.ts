import type { PolicyVerdict } from "@troupe/client"
import { assert, describe, it } from "vitest"
import {
  linesOf,
  type Policy,
  readPolicies,
  textOf,
  trialOf,
  verdictShown,
  withPolicy
} from "../../src/policies/policies.logic.ts"

const safe: Policy = { type: "preset", preset: "safe" }

describe("policies", () => {
  it("are read as they are written, and presets are put behind them", () => {
    assert.deepStrictEqual(readPolicies(textOf([safe])), { _tag: "Read", policies: [safe] })
    assert.deepStrictEqual(JSON.parse(withPolicy("[]", safe)), [safe])
    assert.strictEqual(withPolicy("[", safe), "[")
    for (const wrong of ["{}", "[", "3"]) assert.strictEqual(readPolicies(wrong)._tag, "Wrong")
  })

  it("are told in sentences", () => {
    const rules: Policy = {
      type: "rules",
      rules: [
        { tool: "bash", when: { command: ["git push*", "npm publish*"] }, then: "ask", reason: "People publish." },
        { tool: "*", then: "deny" }
      ],
      otherwise: "allow"
    }
    assert.deepStrictEqual(linesOf(rules), [
      "bash where command is git push* or npm publish* is asked for: People publish.",
      "Any tool is denied",
      "Anything else is allowed"
    ])
    const others: ReadonlyArray<Policy> = [
      safe,
      { type: "always_allow" },
      { type: "always_ask" },
      { type: "auto" },
      { type: "restrictions", restrictions: ["no_network"] }
    ]
    for (const policy of others) assert.lengthOf(linesOf(policy), 1, policy.type)
  })
})

describe("a call that is tried", () => {
  const trial = { tool: "bash", input: "", agentId: "" }

  it("is asked about as it is written, under the policies that are being written", () => {
    assert.deepStrictEqual(trialOf(trial, null), { _tag: "Asked", body: { tool: "bash" } })
    assert.deepStrictEqual(trialOf({ tool: " docs/find ", input: '{"q":1}', agentId: "agent_1" }, [safe]) as object, {
      _tag: "Asked",
      body: { server: "docs", tool: "find", input: { q: 1 }, agent_id: "agent_1", policies: [safe] }
    })
    assert.strictEqual(trialOf({ ...trial, tool: " " }, null)._tag, "Wrong")
    assert.strictEqual(trialOf({ ...trial, input: "{" }, null)._tag, "Wrong")
  })

  it("is told with who decided", () => {
    const verdict = { verdict: "ask", layer: "workspace", rule: "r", reason: "People publish.", auto: false }
    const of = (some: object) => verdictShown({ ...verdict, ...some } as PolicyVerdict)
    assert.deepInclude(of({}), { tone: "warn", text: "Somebody would be asked", by: "By a policy of this workspace" })
    assert.strictEqual(of({ verdict: "allow" }).tone, "good")
    assert.strictEqual(of({ verdict: "deny", layer: "catalog" }).tone, "bad")
    assert.match(of({ auto: true }).text, /model/)
  })
})
