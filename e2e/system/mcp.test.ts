import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { EventId, SessionId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { EventOf } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Scope } from "effect"
import { serving } from "../../packages/runner/test/mcp/world.ts"
import { requires } from "../../test/requires.ts"
import { anthropicAt, sdks } from "../../packages/server/test/support/anthropic.ts"
import { GuardedServer } from "../support/GuardedServer.ts"
import { System, wordsOf } from "../support/System.ts"
import { only } from "./waiting.ts"

/** An event of the compatible API, as it came. */
interface Told extends Record<string, unknown> {
  readonly id: string
  readonly type: string
}

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
  let guarded: GuardedServer

  beforeAll(async () => {
    const { port } = await within(serving("streamableHttp"))
    url = `http://127.0.0.1:${port}/mcp`
    guarded = await GuardedServer.start(port)
    const echo = { id: "call_1", name: "mcp__everything__echo", arguments: JSON.stringify({ message: "over there" }) }
    mock.addFixtures([
      { match: { userMessage: "call it", hasToolResult: false }, response: { toolCalls: [echo] } },
      { match: { userMessage: "call it", hasToolResult: true }, response: { content: "It answered." } }
    ] as never)
    await mock.start()
    system = await System.make()
    await system.node()
    system.runner({
      env: {
        ANTHROPIC_API_KEY: "a secret",
        ANTHROPIC_BASE_URL: mock.url,
        TROUPE_EGRESS_ALLOW: `127.0.0.1:${port},${guarded.authority}`
      }
    })
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await mock.stop()
    await guarded.end()
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

  describe.each(sdks)("that is led through the SDK %s", (_, Sdk) => {
    it("shows its calls as the contract has them, each held to its policy", { timeout: 180_000 }, async () => {
      const { agents, sessions } = anthropicAt(system.nodes.at(-1)!.gateway, Sdk).beta
      const allowed = { permission_policy: { type: "always_allow" as const } }
      const agent = await agents.create({
        name: "helper",
        model: "demo",
        mcp_servers: [{ type: "url", name: "everything", url }],
        // Asks, unless it is said otherwise.
        tools: [
          {
            ...{ type: "mcp_toolset", mcp_server_name: "everything" },
            configs: [
              { name: "echo", ...allowed },
              { name: "get-env", enabled: false }
            ]
          }
        ]
      })
      const session = await sessions.create({ agent: agent.id, environment_id: undefined as never })
      const stream = await sessions.events.stream(session.id)
      const sum = `call mcp__everything__get-sum {"a":1,"b":2}`
      const lines = [`call mcp__everything__echo {"message":"hello"}`, sum, sum, "call mcp__everything__get-env"]
      const content = [{ type: "text" as const, text: lines.join("\n") }]
      await sessions.events.send(session.id, { events: [{ type: "user.message", content }] })
      const seen: Array<Told> = []
      const answers = [{ result: "deny" as const, deny_message: "not today" }, { result: "allow" as const }]
      for await (const event of stream) {
        seen.push(event as never)
        if (event.type !== "session.status_idle") continue
        if (event.stop_reason.type !== "requires_action") break
        const [tool_use_id, ...others] = event.stop_reason.event_ids
        assert.deepStrictEqual(others, [])
        const confirmation = { type: "user.tool_confirmation" as const, tool_use_id: tool_use_id!, ...answers.shift()! }
        await sessions.events.send(session.id, { events: [confirmation] })
      }
      const uses = seen.flatMap(({ id, type }) => (type.endsWith("tool_use") ? [id] : []))
      const calls = uses.map((use) =>
        seen.flatMap(({ id, processed_at: _, mcp_tool_use_id, tool_use_id, ...rest }) =>
          [id, mcp_tool_use_id, tool_use_id].includes(use) ? [rest] : []
        )
      )
      const called = (name: string, input: object, evaluated_permission: string) => ({
        ...{ type: "agent.mcp_tool_use", mcp_server_name: "everything" },
        ...{ name, input, evaluated_permission }
      })
      const said = (text: string, is_error = false) => ({
        ...{ type: "agent.mcp_tool_result", content: [{ type: "text", text }] },
        is_error
      })
      const [echoed, denied, confirmed, disabled] = calls
      assert.deepStrictEqual(echoed, [called("echo", { message: "hello" }, "allow"), said("Echo: hello")])
      assert.deepStrictEqual(denied, [
        called("get-sum", { a: 1, b: 2 }, "ask"),
        { type: "user.tool_confirmation", result: "deny", deny_message: "not today" },
        said("not today", true)
      ])
      assert.deepStrictEqual(confirmed, [
        called("get-sum", { a: 1, b: 2 }, "ask"),
        { type: "user.tool_confirmation", result: "allow" },
        said("The sum of 1 and 2 is 3.")
      ])
      // What is not enabled is not there: it is refused without anybody being asked.
      const [use, result] = disabled!
      assert.deepInclude(use, { evaluated_permission: "deny" })
      assert.deepInclude(result, { is_error: true })
      assert.lengthOf(calls, 4)
      const { data } = await sessions.events.list(session.id, { limit: 1_000 })
      assert.deepStrictEqual(data as never, seen)
    })
  })

  describe("that asks people while it works on a call", () => {
    const open = (troupe: object = {}) =>
      system.open(system.nodes.at(-1)!, {
        tools: [toolset],
        mcpServers: [{ type: "url", name: "everything", url, troupe }]
      })
    const ask = async (session: SessionId, tool: string, input = "{}") => {
      await system.say(system.nodes.at(-1)!, session, `call mcp__everything__trigger-${tool} ${input}`)
    }
    const asked = async (session: SessionId, tool = "elicitation-request", given = "{}") => {
      await ask(session, tool, given)
      const isQuestion = ({ within }: EventOf<"ToolRequested">) => within !== undefined
      const events = await system.until(session, "a question is asked", (log) =>
        only(log, "ToolRequested").some(isQuestion)
      )
      return only(events, "ToolRequested").find(isQuestion)!
    }
    const answer = (session: SessionId, callId: EventId, given: Json) => {
      const input = { _tag: "Answer", inputId: system.mint("Event") as EventId, callId, answer: given } as const
      return system.send(system.nodes.at(-1)!, session, { _tag: "Send", inputs: [input] })
    }
    const heard = async (session: SessionId) => {
      const events = await system.turnsEnded(session, 1)
      assert.lengthOf(only(events, "AttemptStarted"), 1)
      assert.lengthOf(only(events, "ToolStarted"), 1)
      return wordsOf(only(events, "ToolFinished"))
    }

    it("hears what they answer, though the node ended meanwhile", { timeout: 180_000 }, async () => {
      const session = await open()
      const { callId, question } = await asked(session)
      assert.deepInclude(question, { kind: "form", declinable: true })
      const [node] = system.nodes
      await node!.end("SIGKILL")
      await system.node({ TROUPE_PORT: new URL(node!.gateway).port })
      const refused = await answer(session, callId, { check: true }).catch(String)
      assert.match(String(refused), /Invalid.*name/)
      await answer(session, callId, { name: "Ada", integer: 7 })
      const said = await heard(session)
      assert.include(said, "- Name: Ada")
      assert.include(said, "- Favorite Integer: 7")
    })

    it("hears that they would rather not, and that nobody was there", { timeout: 180_000 }, async () => {
      const [declined, late] = [await open(), await open({ answer_timeout_ms: 1_000 })]
      const { callId } = await asked(declined)
      await answer(declined, callId, null)
      assert.include(await heard(declined), "User declined")
      const { callId: lateId } = await asked(late)
      assert.include(await heard(late), "User cancelled")
      const finished = only(await system.log(late), "ToolFinished").find((one) => one.callId === lateId)
      assert.strictEqual(finished?.outcome, "expired")
    })

    it("has them open an address", { timeout: 180_000 }, async () => {
      const session = await open()
      const { callId, question } = await asked(session, "url-elicitation", '{"url":"https://sign.example/here"}')
      assert.include(String(question?.["text"]), "https://sign.example/here")
      await answer(session, callId, "Done")
      assert.include(await heard(session), "accept")
    })

    it("is not waited for when they interrupt", { timeout: 180_000 }, async () => {
      const session = await open()
      const { callId } = await asked(session)
      const interrupt = { _tag: "Interrupt", inputId: system.mint("Event") as EventId, threadId: null } as const
      await system.send(system.nodes.at(-1)!, session, { _tag: "Send", inputs: [interrupt] })
      const events = await system.turnsEnded(session, 1)
      assert.lengthOf(only(events, "TurnInterrupted"), 1)
      assert.deepInclude(
        only(events, "ToolFinished").find((one) => one.callId === callId),
        { outcome: "interrupted" }
      )
    })

    it(
      "has the session's model write for it where that is allowed, and it is on record",
      { timeout: 180_000 },
      async () => {
        const session = await open({ sampling: true })
        await ask(session, "sampling-request", JSON.stringify({ prompt: "say: a poem", maxTokens: 50 }))
        assert.include(await heard(session), "demo")
        const requests = only(await system.log(session), "ModelRequestStarted")
        const ended = only(await system.log(session), "ModelRequestEnded")
        assert.lengthOf(requests, 3)
        assert.lengthOf(ended, 3)
      }
    )
  })

  it("goes on without a server that can't be reached, and says so", { timeout: 180_000 }, async () => {
    const node = system.nodes.at(-1)
    const mcpServers = [{ type: "url", name: "everything", url: "http://127.0.0.1:9/mcp" }]
    const session = await system.open(node!, { model: "demo", tools: [toolset], mcpServers })
    await system.say(node!, session, "say: still here")
    const events = await system.turnsEnded(session, 1)
    assert.include(wordsOf(events), "still here")
    const noted = events.flatMap((event) => (event._tag === "PlatformNoted" ? [event.code] : []))
    assert.deepStrictEqual(noted, ["tool_invalid"])
    assert.deepStrictEqual(
      only(events, "AttemptTroubled").map(({ error, retryStatus }) => [error.code, retryStatus]),
      [["mcp_connection_failed", "retrying"]]
    )
  })

  describe("that wants to see a token", () => {
    const api = <A>(path: string, body?: object): Promise<A> => system.nodes.at(-1)!.api(path, body)
    const headersOf = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
    const begin = async (server: object, words: string) => {
      const mcp_servers = [{ name: "everything", ...server }]
      const wanted = { name: "helper", model: "demo", tools: [toolset], mcp_servers }
      const { id: agent } = await api<{ readonly id: string }>("/agents", wanted)
      const initial_events = [{ type: "user.message", content: [{ type: "text", text: words }] }]
      const { id } = await api<{ readonly id: SessionId }>("/sessions", { agent, initial_events })
      return { id, events: await system.turnsEnded(id, 1) }
    }
    const echo = (message: string) => `call mcp__everything__echo ${JSON.stringify({ message })}`

    it("is shown a newer one where it has expired in the middle of a turn", { timeout: 180_000 }, async () => {
      const server = { type: "url", url: `http://${guarded.authority}/mcp` }
      const { id: server_id } = (await api("/mcp_servers", {
        name: "everything",
        server,
        ...headersOf(guarded.token)
      })) as { id: string }
      guarded.onCall = async () => {
        guarded.onCall = () => Promise.resolve()
        // The token of before is worth nothing from the next request on, and somebody has given the workspace a new one.
        await api(`/mcp_servers/${server_id}`, headersOf("second"))
        guarded.token = "second"
      }
      const { events } = await begin({ type: "registered", server_id }, `${echo("one")}\n${echo("two")}`)
      assert.deepStrictEqual(
        only(events, "ToolFinished").map(({ outcome }) => outcome),
        ["succeeded", "succeeded"]
      )
      assert.match(wordsOf(events), /one[^]*two/)
      assert.deepStrictEqual(new Set(guarded.refused), new Set(["Bearer first"]))
      assert.deepStrictEqual(only(events, "AttemptStarted").length, 1)
      assert.notInclude(JSON.stringify(events), "Bearer")
    })

    it("is told of as one that wants other credentials, and which", { timeout: 180_000 }, async () => {
      const { events, id } = await begin({ type: "url", url: `http://${guarded.authority}/mcp` }, "say: still here")
      assert.include(wordsOf(events), "still here")
      const [{ error }] = only(events, "AttemptTroubled") as [EventOf<"AttemptTroubled">]
      assert.deepInclude(error, { code: "mcp_authentication_failed" })
      type Listed = { readonly data: ReadonlyArray<{ readonly type: string; readonly error?: object }> }
      const { data } = await api<Listed>(`/sessions/${id}/events`)
      const told = data.find(({ type }) => type === "session.error")
      assert.deepInclude(told?.error, {
        type: "mcp_authentication_failed_error",
        mcp_server_name: "everything",
        retry_status: { type: "retrying" },
        wants: {
          credentials: "none",
          resource_metadata: `http://${guarded.authority}/.well-known/oauth-protected-resource`,
          scope: "tools"
        }
      })
    })
  })
})
