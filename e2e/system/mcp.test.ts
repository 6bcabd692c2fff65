import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { serving } from "../../packages/runner/test/mcp/world.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { requires } from "../../test/requires.ts"
import { System, wordsOf } from "../support/System.ts"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("an agent with an MCP server", () => {
  const scope = Scope.makeUnsafe()
  const within = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  const mock = new LLMock({ port: 0 })
  let system: System
  let url: string

  beforeAll(async () => {
    const { port } = await within(serving("streamableHttp"))
    url = `http://127.0.0.1:${port}/mcp`
    const echo = { id: "call_1", name: "mcp__everything__echo", arguments: JSON.stringify({ message: "over there" }) }
    mock.addFixtures([
      { match: { userMessage: "call it", hasToolResult: false }, response: { toolCalls: [echo] } },
      { match: { userMessage: "call it", hasToolResult: true }, response: { content: "It answered." } }
    ] as never)
    await mock.start()
    system = new System(await within(TestDatabase.make()))
    await system.node()
    system.runner({
      env: {
        ANTHROPIC_API_KEY: "a secret",
        ANTHROPIC_BASE_URL: mock.url,
        TROUPE_EGRESS_ALLOW: `127.0.0.1:${port}`
      }
    })
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await mock.stop()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }, 60_000)

  const policy = { permission_policy: { type: "always_allow" } }
  const toolset = { type: "mcp_toolset", mcp_server_name: "everything", default_config: policy }

  it("calls its tools, through the gateway and into the log", { timeout: 180_000 }, async () => {
    const [node] = system.nodes
    const mcpServers = [{ type: "url", name: "everything", url }]
    const session = await system.open(node!, { model: "claude-test", tools: [toolset], mcpServers })
    await system.say(node!, session, "call it")
    const events = await system.turnsEnded(session, 1)
    assert.include(wordsOf(events), "It answered.")
    assert.include(wordsOf(events), "over there")
    const requested = events.find((event) => event._tag === "ToolRequested")
    assert.deepInclude(requested, { executor: "mcp", server: "everything" })
  })

  it("goes on without a server that can't be reached, and says so", { timeout: 180_000 }, async () => {
    const [node] = system.nodes
    const mcpServers = [{ type: "url", name: "everything", url: "http://127.0.0.1:9/mcp" }]
    const session = await system.open(node!, { model: "demo", tools: [toolset], mcpServers })
    await system.say(node!, session, "say: still here")
    const events = await system.turnsEnded(session, 1)
    assert.include(wordsOf(events), "still here")
    const noted = events.flatMap((event) => (event._tag === "PlatformNoted" ? [event.code] : []))
    assert.deepStrictEqual(noted, ["mcp_server_failed", "tool_invalid"])
  })
})
