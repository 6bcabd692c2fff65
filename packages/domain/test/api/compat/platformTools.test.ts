import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/Json.ts"
import { resolveTools } from "../../../src/api/compat/agentTools.ts"
import { toolEntries } from "../../../src/tools/Toolset.ts"

const toolset = (more: JsonObject = {}): JsonObject => ({ type: "troupe_toolset", ...more })
/** What an agent ends up with that was defined over the API. */
const given = (more?: JsonObject) =>
  toolEntries(resolveTools([toolset(more)])).entries.flatMap((entry) => (entry._tag === "Platform" ? [entry.name] : []))

describe("A toolset of the installation's own tools", () => {
  it("gives an agent what it names, over the API as well", () => {
    assert.deepStrictEqual(given(), [])
    assert.deepStrictEqual(given({ configs: [{ name: "ask_user" }] }), ["ask_user"])
    assert.deepStrictEqual(given({ configs: [{ name: "ask_user", enabled: false }] }), [])
    assert.deepStrictEqual(given({ default_config: { enabled: true } }), ["ask_user", "update_plan"])
  })

  it("stands beside the other toolset, once", () => {
    const both = [{ type: "agent_toolset_20260401" }, toolset()]
    assert.strictEqual(resolveTools(both).length, 2)
    assert.throws(() => resolveTools([toolset(), ...both]), /troupe_toolset already/)
  })

  it("is refused with a name that is none, or the same one twice", () => {
    assert.throws(() => given({ configs: [{ name: "bash" }] }))
    assert.throws(() => given({ configs: [{ name: "ask_user" }, { name: "ask_user" }] }))
  })
})
