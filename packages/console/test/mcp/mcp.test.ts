import type { Agent, McpAuthorization, McpServer } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { authorizeBody, loginShown } from "../../src/mcp/login.logic.ts"
import {
  bodyOf,
  draftOf,
  foundOf,
  loginOf,
  missing,
  reachOf,
  signature,
  snippet,
  usersOf
} from "../../src/mcp/mcp.logic.ts"

const server = {
  id: "mcpsrv_1",
  name: "docs",
  description: "Our pages",
  server: { type: "url", url: "https://mcp.example/docs" },
  options: { allowed_tools: ["search*", "read"], timeout_ms: 5_000, transport: "sse" },
  header_names: ["Authorization"],
  authorization: "none"
} as unknown as McpServer
const program = {
  ...server,
  server: { type: "stdio", command: "npx", args: ["-y", "files", "/my files"], env: { A: "b" }, cwd: "/workspace" },
  options: {},
  header_names: []
} as unknown as McpServer

describe("an MCP server in a form", () => {
  it("is the same again where nothing was changed, with what the form does not show", () => {
    const { description, name, options, server: reach } = server
    assert.deepStrictEqual(bodyOf(draftOf(server), server), { name, description, server: reach, options })
    assert.deepStrictEqual(bodyOf(draftOf(program), program).server, program.server)
  })

  it("keeps its headers unless they are replaced or taken away", () => {
    const draft = draftOf(server)
    assert.notProperty(bodyOf(draft, server), "headers")
    assert.isNull(bodyOf({ ...draft, headers: [] }, server).headers)
    const given = [
      { name: " X-Key ", value: "k" },
      { name: "", value: "" }
    ]
    assert.deepStrictEqual(bodyOf({ ...draft, headers: given }, server).headers, { "X-Key": "k" })
  })

  it("becomes a program that is sent none, and spoken to in no way of a URL", () => {
    const body = bodyOf({ ...draftOf(server), kind: "stdio", command: "npx\n -y \n\nfiles" }, server)
    assert.deepStrictEqual(body.server, { type: "stdio", command: "npx", args: ["-y", "files"] })
    assert.isNull(body.headers)
    assert.notProperty(body.options, "transport")
  })

  it("says what is missing, and when nothing is", () => {
    const draft = { ...draftOf(null), name: "docs", url: "https://mcp.example" }
    assert.isNull(missing(draft))
    for (const [change, why] of [
      [{ name: " " }, /name/],
      [{ name: "a/b" }, /slash/],
      [{ url: "mcp.example" }, /https/],
      [{ url: "ftp://mcp.example" }, /https/],
      [{ url: "https://me:secret@mcp.example" }, /password/],
      [{ kind: "stdio" as const }, /program/],
      [{ headers: [{ name: "A", value: "" }] }, /half/],
      [{ headers: [{ name: "", value: "x" }] }, /half/]
    ] as const) {
      assert.match(missing({ ...draft, ...change })!, why)
    }
  })
})

describe("an MCP server in the list", () => {
  it("says how it is reached, who uses it, and how it lets sessions in", () => {
    assert.deepStrictEqual([reachOf(server), reachOf(program)], ["https://mcp.example/docs", "npx -y files /my files"])
    const agents = [
      { id: "a", mcp_servers: [{ type: "registered", server_id: "mcpsrv_1" }] },
      { id: "b", mcp_servers: [{ type: "url", url: "https://mcp.example/docs" }] }
    ] as unknown as ReadonlyArray<Agent>
    assert.deepStrictEqual(
      usersOf(agents, "mcpsrv_1").map(({ id }) => id as string),
      ["a"]
    )
    assert.deepStrictEqual(
      [
        server,
        { ...server, header_names: [] },
        { ...server, authorization: "connected" as const },
        { ...server, authorization: "login_required" as const },
        program
      ].map((one) => loginOf(one).text),
      ["By its headers", "No login", "Logged in", "Log in again", "Runs in the sandbox"]
    )
  })

  it("shows its tools as they are called, and how many there are", () => {
    const required = (name: string, isRequired: boolean) => ({ name, required: isRequired })
    assert.strictEqual(
      signature({ name: "search", arguments: [required("query", true), required("limit", false)] }),
      "search(query, limit?)"
    )
    assert.strictEqual(foundOf({ status: "usable", tools: [{}] as never }).text, "It has 1 tool")
    assert.strictEqual(foundOf({ status: "not_probed", tools: [] }).tone, "")
    assert.deepInclude(JSON.parse(snippet(server)).mcp_servers[0], { server_id: "mcpsrv_1" })
  })
})

describe("a login", () => {
  const none = {
    status: "none",
    scope: null,
    issuer: null,
    client_id: null,
    authorized_at: null,
    expires_at: null,
    renewable: false
  } as McpAuthorization

  it("shows what is known of it", () => {
    assert.deepStrictEqual(loginShown(none).facts, [])
    const connected = { ...none, status: "connected", issuer: "https://login.example", scope: "use" } as const
    assert.deepStrictEqual(loginShown(connected).facts, [
      ["At", "https://login.example"],
      ["For", "use"]
    ])
    const until = { ...connected, expires_at: "2026-11-22T10:00:00Z", renewable: true }
    assert.match(loginShown(until).facts[2]![1], /renewed by itself/)
    assert.strictEqual(loginShown({ ...none, status: "login_required" }).tone, "bad")
  })

  it("comes back to the console, and names a client where there is one", () => {
    assert.deepStrictEqual(authorizeBody(" ", ""), { back_to: "console" })
    assert.deepStrictEqual(authorizeBody("us", ""), { back_to: "console", client: { client_id: "us" } })
    assert.deepStrictEqual(authorizeBody("us", "s").client, { client_id: "us", client_secret: "s" })
  })
})
