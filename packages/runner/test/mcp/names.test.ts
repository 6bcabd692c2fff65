import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import { describe } from "vitest"
import { mcpToolName } from "../../src/mcp/mcpToolName.ts"

describe("The name of a server's tool", () => {
  it("is plain where it can be", () => {
    assert.strictEqual(mcpToolName("git-hub", "create_issue"), "mcp__git-hub__create_issue")
  })

  it("is one that providers take, whatever the server calls it", () => {
    for (const name of ["a.b/c", "ü", "x".repeat(300), "a b", "__", ""]) {
      assert.match(mcpToolName("server", name), /^[A-Za-z0-9_-]{1,64}$/)
      assert.match(mcpToolName(name, "tool"), /^[A-Za-z0-9_-]{1,64}$/)
    }
  })

  it.prop(
    "belongs to one tool of one server",
    [Schema.Array(Schema.Literals(["a", "_", "__", "a__", ".", "-"]))],
    ([parts]) => {
      const seen = new Map<string, string>()
      for (let cut = 0; cut <= parts.length; cut++) {
        const [server, tool] = [parts.slice(0, cut).join(""), parts.slice(cut).join("")]
        const name = mcpToolName(server, tool)
        const pair = JSON.stringify([server, tool])
        assert.strictEqual(seen.get(name) ?? pair, pair)
        seen.set(name, pair)
      }
    }
  )
})
