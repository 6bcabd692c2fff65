import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Layer } from "effect"
import { describe } from "vitest"
import { McpSessions } from "../../src/mcp/McpSessions.ts"
import { newSessionId } from "../../src/sandbox/trial.ts"
import { noPlace } from "../tools/world.ts"
import { fakeServer, type Play, tool, until } from "./FakeServer.ts"
import { openTurn, sessions, slow, toolset, type TurnOptions, url } from "./world.ts"

/** A session with one fake server, and its turns. */
const session = Effect.fnUntraced(function* (play: Play, timing: Parameters<typeof sessions>[1] = {}) {
  const server = yield* fakeServer(play, { tools: { listChanged: true }, resources: {}, prompts: {} })
  const world = yield* Layer.build(sessions([server.authority], timing))
  const sessionId = newSessionId()
  const place = noPlace()
  const turn = (own: Partial<TurnOptions> = {}) =>
    openTurn({ sessionId, place, servers: [url("fake", server.address)], ...own }).pipe(Effect.provide(world))
  const drop = Effect.flatMap(McpSessions, (mcp) => mcp.drop(sessionId)).pipe(Effect.provide(world))
  return { server, turn, drop }
})

/** The tools of the first turn that has any. */
const namesOnceThere = <E, R>(
  turn: Effect.Effect<{ readonly names: ReadonlyArray<string> }, E, R>
): Effect.Effect<ReadonlyArray<string>, E, R> =>
  Effect.flatMap(turn, ({ names }) => (names.length > 0 ? Effect.succeed(names) : namesOnceThere(turn)))

const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed" }

describe("From turn to turn", () => {
  it.live(
    "a connection and its list are kept",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session({})
        for (let index = 0; index < 3; index++) {
          assert.deepStrictEqual((yield* Effect.scoped(turn())).names, ["mcp__fake__work"])
        }
        assert.deepStrictEqual([server.count("initialize"), server.count("tools/list")], [1, 1])
      }),
    slow
  )

  it.live(
    "a list that changed during a turn holds from the next one on",
    () =>
      Effect.gen(function* () {
        let lists = 0
        const { server, turn } = yield* session({
          "tools/list": ({ answer }) => answer({ tools: [tool(lists++ === 0 ? "work" : "other_work")] }),
          "tools/call": ({ message, response, stream }) => {
            const say = stream()
            say(changed)
            say({ jsonrpc: "2.0", id: message.id!, result: { content: [{ type: "text", text: "changed" }] } })
            response.end()
          }
        })
        const first = yield* turn()
        assert.strictEqual((yield* first.call("mcp__fake__work")).text, "changed")
        assert.strictEqual(server.count("tools/list"), 1)
        assert.strictEqual((yield* first.call("mcp__fake__work")).text, "changed")
        assert.deepStrictEqual((yield* turn()).names, ["mcp__fake__other_work"])
      }),
    slow
  )

  it.live(
    "a list is asked for again when it is old",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session({}, { refreshMs: 0 })
        yield* turn()
        yield* turn()
        assert.deepStrictEqual([server.count("initialize"), server.count("tools/list")], [1, 2])
      }),
    slow
  )

  it.live(
    "a server that failed is tried again, but not before its time",
    () =>
      Effect.gen(function* () {
        let isBroken = true
        const broken: Play[string] = ({ response }) => {
          if (!isBroken) return true
          response.writeHead(500).end()
          return false
        }
        const play = { initialize: broken, "server/discover": broken }
        const { server, turn } = yield* session(play, { backoffMs: 3_600_000, backoffMsMax: 3_600_000 })
        const first = yield* turn()
        assert.deepStrictEqual(
          first.told.map(({ code, details }) => [code, details["status"]]),
          [["mcp_connection_failed", 500]]
        )
        const asked = server.received.length
        const second = yield* turn()
        assert.deepStrictEqual([second.names, second.told, server.received.length], [[], [], asked])
        assert.include(
          second.problems.map(({ at }) => at),
          "fake"
        )

        const again = yield* session(play, { backoffMs: 1 })
        yield* again.turn()
        isBroken = false
        assert.deepStrictEqual(yield* namesOnceThere(again.turn()), ["mcp__fake__work"])
      }),
    slow
  )

  it.live(
    "a server that is late has its tools in the next turn",
    () =>
      Effect.gen(function* () {
        let goOn = () => {}
        const { server, turn } = yield* session(
          { "tools/list": ({ answer }) => void (goOn = () => answer({ tools: [tool("work")] })) },
          { startMs: 300 }
        )
        const first = yield* turn()
        assert.deepStrictEqual([first.names, first.told.map(({ details }) => details["reason"])], [[], ["late"]])
        yield* until(() => server.count("tools/list") === 1)
        goOn()
        assert.deepStrictEqual(yield* namesOnceThere(turn()), ["mcp__fake__work"])
        assert.strictEqual(server.count("tools/list"), 1)
      }),
    slow
  )

  it.live(
    "connections end when nobody has used them for a while, and when the session's place is gone",
    () =>
      Effect.gen(function* () {
        const idle = yield* session({}, { idleMs: 50 })
        yield* Effect.scoped(idle.turn())
        yield* until(() => idle.server.farewells() === 1 && idle.server.open.size === 0)
        yield* Effect.scoped(idle.turn())
        assert.strictEqual(idle.server.count("initialize"), 2)

        const dropped = yield* session({})
        const { call } = yield* dropped.turn()
        yield* dropped.drop
        assert.strictEqual(dropped.server.farewells(), 1)
        assert.match((yield* call("mcp__fake__work")).text, /have been ended/)
      }),
    slow
  )

  it.live(
    "another configuration is another server, and the one before is let go",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session({})
        yield* Effect.scoped(turn())
        const servers = [url("fake", server.address, { allowed_tools: ["play*"] })]
        assert.deepStrictEqual((yield* turn({ servers })).names, [])
        assert.strictEqual(server.count("initialize"), 2)
      }),
    slow
  )
})

describe("What an agent's toolset says", () => {
  const listing: Play = {
    "tools/list": ({ answer }) =>
      answer({ tools: [tool("read"), tool("write"), { ...tool("safe"), annotations: { readOnlyHint: true } }] }),
    "resources/list": ({ answer }) => answer({ resources: [{ uri: "x://a", name: "A", mimeType: "text/plain" }] }),
    "resources/templates/list": ({ answer }) =>
      answer({ resourceTemplates: [{ uriTemplate: "x://{id}", name: "Any" }] }),
    "resources/read": ({ answer }) => answer({ contents: [{ uri: "x://a", text: "inside" }] }),
    "prompts/list": ({ answer }) =>
      answer({ prompts: [{ name: "greet", arguments: [{ name: "who", required: true }] }] }),
    "prompts/get": ({ answer }) =>
      answer({ messages: [{ role: "user", content: { type: "text", text: "Hello, Ada" } }] })
  }

  it.live(
    "asks before each call, unless it says otherwise; takes away what is not enabled; knows what there is not",
    () =>
      Effect.gen(function* () {
        const { turn } = yield* session(listing)
        const tools: ReadonlyArray<JsonObject> = [
          {
            type: "mcp_toolset",
            mcp_server_name: "fake",
            configs: [
              { name: "write", enabled: false },
              { name: "safe", permission_policy: { type: "always_allow" } },
              { name: "missing", enabled: true }
            ]
          },
          toolset("nowhere")
        ]
        const { frames, gateway, names, problems, call } = yield* turn({ tools })
        assert.deepStrictEqual(names, ["mcp__fake__read", "mcp__fake__safe"])
        assert.deepStrictEqual(
          problems.map(({ at, code }) => [at, code]),
          [
            ["nowhere", "invalid"],
            ["fake", "unknown_tool"]
          ]
        )
        const asked = yield* gateway.call({ requestId: null, providerCallId: "p", name: "mcp__fake__read", input: {} })
        assert.strictEqual(asked._tag, "Awaiting")
        const { executor, readOnly, server } = frames.last("ToolRequested")
        assert.deepStrictEqual([executor, server, readOnly], ["mcp", "fake", false])
        assert.strictEqual((yield* call("mcp__fake__safe")).text, "done")
      }),
    slow
  )

  it.live(
    "what a server says of itself is believed where its entry says so",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session(listing)
        const readOnly = (opened: Effect.Success<ReturnType<typeof turn>>) =>
          opened.tools.filter(({ spec }) => spec.readOnly).map(({ spec }) => spec.name)
        assert.deepStrictEqual(readOnly(yield* turn()), [])
        const servers = [url("fake", server.address, { trust_annotations: true })]
        assert.deepStrictEqual(readOnly(yield* turn({ servers })), ["mcp__fake__safe"])
      }),
    slow
  )

  it.live(
    "resources and prompts can be read where it names the tools for that",
    () =>
      Effect.gen(function* () {
        const { turn } = yield* session(listing)
        const reading = ["list_resources", "read_resource", "list_prompts", "get_prompt"]
        const { call } = yield* turn({
          tools: [
            toolset(
              "fake",
              reading.map((name) => ({ name }))
            )
          ]
        })
        assert.strictEqual((yield* call("mcp__fake__list_resources")).text, "- x://a (A, text/plain)\n- x://{id} (Any)")
        assert.strictEqual((yield* call("mcp__fake__read_resource", { uri: "x://a" })).text, "[Resource x://a]\ninside")
        assert.strictEqual((yield* call("mcp__fake__list_prompts")).text, "- greet(who)")
        const prompt = { name: "greet", arguments: { who: "Ada" } }
        assert.strictEqual((yield* call("mcp__fake__get_prompt", prompt)).text, "user:Hello, Ada")
        assert.strictEqual((yield* call("mcp__fake__get_prompt", { name: 7 })).outcome, "denied")
      }),
    slow
  )

  it.live(
    "a list of allowed tools holds for what is listed",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session(listing)
        const servers = [url("fake", server.address, { allowed_tools: ["re*", "safe"] })]
        assert.deepStrictEqual((yield* turn({ servers })).names, ["mcp__fake__read", "mcp__fake__safe"])
      }),
    slow
  )

  it.live(
    "entries that can't be meant are told once, and the others work",
    () =>
      Effect.gen(function* () {
        const { server, turn } = yield* session(listing)
        const servers = [{ type: "url", name: "odd", url: "ftp://x/" }, url("fake", server.address)]
        const first = yield* turn({ servers })
        assert.deepStrictEqual(
          first.told.map(({ code, details }) => [code, details["server"]]),
          [["mcp_server_invalid", "odd"]]
        )
        assert.include(first.names, "mcp__fake__read")
        assert.deepStrictEqual((yield* turn({ servers })).told, [])
      }),
    slow
  )
})
