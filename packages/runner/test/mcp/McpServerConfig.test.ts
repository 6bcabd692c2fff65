import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { describe } from "vitest"
import { isAllowed, mcpServerConfigs, serversMax } from "../../src/mcp/McpServerConfig.ts"

const problemOf = (entry: JsonObject) => {
  const { problems, servers } = mcpServerConfigs([entry])
  return servers.length === 0 ? problems[0]!.code : "none"
}

describe("The entries of MCP servers", () => {
  it("say where a server is, and how it may be used", () => {
    const { problems, servers } = mcpServerConfigs([
      { type: "url", name: "a", url: "https://mcp.example/x" },
      { type: "url", name: "b", url: "http://b.test:1/", troupe: { transport: "sse", timeout_ms: 5, sampling: true } },
      { type: "stdio", name: "c", command: "npx", args: ["-y", "x"], env: { A: "1" }, cwd: "/workspace" }
    ])
    assert.deepStrictEqual(problems, [])
    const common = {
      allowedTools: null,
      timeoutMs: 60_000,
      answerMs: 1_800_000,
      sampling: false,
      trustAnnotations: false
    }
    assert.deepStrictEqual(servers, [
      { ...common, name: "a", type: "url", serverId: null, url: "https://mcp.example/x", transport: "auto" },
      {
        ...common,
        name: "b",
        type: "url",
        serverId: null,
        url: "http://b.test:1/",
        transport: "sse",
        timeoutMs: 5,
        sampling: true
      },
      { ...common, name: "c", type: "stdio", command: "npx", args: ["-y", "x"], env: { A: "1" }, cwd: "/workspace" }
    ])
  })

  it("that can't be meant are problems of a kind", () => {
    assert.strictEqual(problemOf({ type: "socket", name: "a" }), "unknown_type")
    assert.strictEqual(problemOf({ name: "a" }), "unknown_type")
    assert.strictEqual(problemOf({ type: "url", name: "a" }), "invalid")
    assert.strictEqual(problemOf({ type: "url", name: "", url: "https://a/" }), "invalid")
    assert.strictEqual(problemOf({ type: "url", name: "a/b", url: "https://a/" }), "invalid")
    assert.strictEqual(problemOf({ type: "stdio", name: "a", command: "" }), "invalid")
    assert.strictEqual(problemOf({ type: "stdio", name: "a", command: "x", args: [1] }), "invalid")
    for (const timeout_ms of [0, -1, 1.5, 3_600_001, "10"]) {
      assert.strictEqual(problemOf({ type: "url", name: "a", url: "https://a/", troupe: { timeout_ms } }), "invalid")
    }
    for (const url of ["nothing", "file:///etc/passwd", "https://user:pass@a/", "ftp://a/"]) {
      assert.strictEqual(problemOf({ type: "url", name: "a", url }), "url")
    }
    const secret = mcpServerConfigs([{ type: "url", name: "a", url: "https://u:hush@a/" }])
    assert.notInclude(JSON.stringify(secret), "hush")
  })

  it("are one for each name, and not too many", () => {
    const entry = (name: string) => ({ type: "url", name, url: "https://a/" })
    const twice = mcpServerConfigs([entry("a"), entry("a")])
    assert.deepStrictEqual([twice.servers.length, twice.problems[0]!.code], [1, "duplicate"])
    const many = mcpServerConfigs(Array.from({ length: serversMax + 1 }, (_, index) => entry(`s${index}`)))
    assert.deepStrictEqual([many.servers.length, many.problems[0]!.code], [serversMax, "too_many"])
  })

  it("may allow some tools alone", () => {
    const [server] = mcpServerConfigs([
      { type: "url", name: "a", url: "https://a/", troupe: { allowed_tools: ["read_*", "list"] } }
    ]).servers
    assert.deepStrictEqual(
      ["read_file", "list", "write", "lists"].map((name) => isAllowed(server!, name)),
      [true, true, false, false]
    )
  })
})
