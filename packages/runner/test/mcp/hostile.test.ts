import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Fiber, Layer } from "effect"
import { describe } from "vitest"
import { noPlace } from "../tools/world.ts"
import { fakeServer, type Play, tool, until } from "./FakeServer.ts"
import { openTurn, sessions, slow, type TurnOptions, url } from "./world.ts"

/** A turn with one fake server. */
const turnWith = Effect.fnUntraced(function* (
  play: Play,
  own: { readonly troupe?: JsonObject; readonly capabilities?: JsonObject; readonly turn?: Partial<TurnOptions> } = {},
  timing: Parameters<typeof sessions>[1] = {}
) {
  const server = yield* fakeServer(play, own.capabilities)
  const turn = { servers: [url("fake", server.address, own.troupe)], ...own.turn }
  const world = yield* Layer.build(sessions([server.authority], timing))
  const opened = yield* openTurn(turn).pipe(Effect.provide(world))
  return { server, ...opened }
})

const reasons = (told: ReadonlyArray<{ readonly code: string; readonly details: JsonObject }>) =>
  told.map(({ code, details }) => `${code} ${String(details["reason"])}`)

describe("A server that does not do what it should", () => {
  it.live(
    "hangs after its headers: the turn starts without it",
    () =>
      Effect.gen(function* () {
        const { names, told } = yield* turnWith({ initialize: ({ stream }) => void stream() }, {}, { startMs: 500 })
        assert.deepStrictEqual(names, [])
        assert.deepStrictEqual(reasons(told), ["mcp_connection_failed late"])
      }),
    slow
  )

  it.live(
    "answers garbage",
    () =>
      Effect.gen(function* () {
        const { names, told } = yield* turnWith({
          initialize: ({ response }) =>
            response.writeHead(200, { "content-type": "application/json" }).end('{"jsonrpc": "1.0", \u0000')
        })
        assert.deepStrictEqual(names, [])
        assert.deepStrictEqual(reasons(told), ["mcp_connection_failed protocol"])
      }),
    slow
  )

  it.live(
    "lists without end: as many are taken as may be, and the rest is told",
    () =>
      Effect.gen(function* () {
        let page = 0
        const { gateway, problems, server, told } = yield* turnWith({
          "tools/list": ({ answer }) => {
            const first = page++ * 100
            answer({
              tools: Array.from({ length: 100 }, (_, index) => tool(`tool_${first + index}`)),
              nextCursor: `page ${page}`
            })
          }
        })
        assert.strictEqual(gateway.catalog.length, 256)
        assert.isBelow(server.count("tools/list"), 20)
        assert.include(
          problems.map(({ code }) => code),
          "too_many"
        )
        assert.deepStrictEqual(
          told.map(({ code }) => code),
          ["mcp_tools_left_out"]
        )
      }),
    slow
  )

  it.live(
    "gives the same cursor for ever",
    () =>
      Effect.gen(function* () {
        const { names, server } = yield* turnWith({
          "tools/list": ({ answer }) => answer({ tools: [tool("work")], nextCursor: "again" })
        })
        assert.deepStrictEqual(names, ["mcp__fake__work"])
        assert.strictEqual(server.count("tools/list"), 2)
      }),
    slow
  )

  it.live(
    "lists tools twice, without a name, with schemas that are none: those are left out, the others are there",
    () =>
      Effect.gen(function* () {
        const { names, problems, told } = yield* turnWith({
          "tools/list": ({ answer }) =>
            answer({
              tools: [
                tool("work"),
                tool("work"),
                tool("array", { type: "array" }),
                tool("text", "no schema"),
                tool("nested", { type: "object", properties: { a: 7 } }),
                tool("far", { type: "object", properties: { a: { $ref: "https://elsewhere/schema" } } }),
                { inputSchema: { type: "object" } },
                null,
                tool("open", { properties: { a: { type: "string" } } })
              ]
            })
        })
        assert.deepStrictEqual(names, ["mcp__fake__work", "mcp__fake__open"])
        assert.deepStrictEqual(
          problems.map(({ code }) => code),
          ["invalid", "invalid", "invalid", "invalid", "invalid", "invalid", "duplicate"]
        )
        assert.deepStrictEqual(
          told.map(({ code }) => code),
          ["mcp_tools_left_out"]
        )
      }),
    slow
  )

  it.live(
    "never answers a call: it is given up, the server is told, and its connection is closed",
    () =>
      Effect.gen(function* () {
        const { call, server } = yield* turnWith(
          { "tools/call": ({ stream }) => void stream() },
          { troupe: { timeout_ms: 300 } }
        )
        const result = yield* call("mcp__fake__work")
        assert.strictEqual(result.outcome, "timed_out")
        assert.match(result.text, /no answer and no progress for 300 ms.*is not known/)
        yield* until(() => server.count("notifications/cancelled") === 1 && server.open.size === 0)
      }),
    slow
  )

  it.live(
    "tells of progress: then it is waited for",
    () =>
      Effect.gen(function* () {
        const { call } = yield* turnWith(
          {
            "tools/call": ({ message, stream, response }) => {
              const say = stream()
              const meta = message.params?.["_meta"] as JsonObject
              let left = 8
              const timer = setInterval(() => {
                const params = { progressToken: meta["progressToken"]!, progress: 8 - left }
                if (left-- > 0) return say({ jsonrpc: "2.0", method: "notifications/progress", params })
                clearInterval(timer)
                say({ jsonrpc: "2.0", id: message.id!, result: { content: [{ type: "text", text: "at last" }] } })
                return response.end()
              }, 500)
            }
          },
          { troupe: { timeout_ms: 2_000 } }
        )
        assert.strictEqual((yield* call("mcp__fake__work")).text, "at last")
      }),
    slow
  )

  it.live(
    "closes in the middle of a call: what it did is not known, and the next call goes on",
    () =>
      Effect.gen(function* () {
        let calls = 0
        const { call } = yield* turnWith({
          "tools/call": ({ response }) => (calls++ === 0 ? void response.socket?.destroy() : true)
        })
        const result = yield* call("mcp__fake__work")
        assert.strictEqual(result.outcome, "failed")
        assert.match(result.text, /is not known\. Check before you repeat it/)
        assert.strictEqual((yield* call("mcp__fake__work")).text, "done")
      }),
    slow
  )

  it.live(
    "ends or breaks off its answer before it is there: nobody waits for the rest",
    () =>
      Effect.gen(function* () {
        let calls = 0
        const { call } = yield* turnWith({
          "tools/call": ({ response, stream }) => {
            stream()({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "hold on" } })
            if (calls++ === 0) response.end()
            else setTimeout(() => response.socket?.destroy(), 50)
          }
        })
        assert.match((yield* call("mcp__fake__work")).text, /ended its answer before it was there.*is not known/)
        assert.match((yield* call("mcp__fake__work")).text, /the connection broke.*is not known/)
      }),
    slow
  )

  it.live(
    "has forgotten the session: it is said hello to again, once, and the call is made",
    () =>
      Effect.gen(function* () {
        let calls = 0
        const { call, server } = yield* turnWith({
          "tools/call": ({ response }) => (calls++ === 0 ? void response.writeHead(404).end() : true)
        })
        assert.strictEqual((yield* call("mcp__fake__work")).text, "done")
        assert.strictEqual(server.count("initialize"), 2)
        const other = yield* turnWith({ "tools/call": ({ response }) => void response.writeHead(404).end() })
        assert.strictEqual((yield* other.call("mcp__fake__work")).outcome, "failed")
        assert.strictEqual(other.server.count("tools/call"), 2)
      }),
    slow
  )

  it.live(
    "says that a call failed, or that there is no such thing",
    () =>
      Effect.gen(function* () {
        const answers: ReadonlyArray<JsonObject> = [
          { result: { content: [{ type: "text", text: "no luck" }], isError: true } },
          { error: { code: -32_602, message: "not those arguments" } },
          { result: { content: "none" } }
        ]
        let calls = 0
        const { call } = yield* turnWith({
          "tools/call": ({ message, response }) =>
            void response
              .writeHead(200, { "content-type": "application/json" })
              .end(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answers[calls++] }))
        })
        const [first, second, third] = [
          yield* call("mcp__fake__work"),
          yield* call("mcp__fake__work"),
          yield* call("mcp__fake__work")
        ]
        assert.deepStrictEqual([first.outcome, first.text], ["failed", "no luck"])
        assert.match(second.text, /not those arguments \(-32602\)/)
        assert.deepStrictEqual([second.outcome, third.outcome], ["failed", "failed"])
        assert.match(third.text, /protocol/)
      }),
    slow
  )

  it.live(
    "wants to send everything somewhere else: no redirect leaves its origin",
    () =>
      Effect.gen(function* () {
        const { told } = yield* turnWith({
          initialize: ({ response }) =>
            void response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end(),
          "server/discover": ({ response }) =>
            void response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end()
        })
        assert.strictEqual(told.length, 1)
        assert.match(told[0]!.message, /Redirect to .* not followed/)
      }),
    slow
  )
})

describe("An answer that is large or strange", () => {
  const answering = (result: JsonObject) => turnWithFiles({ "tools/call": ({ answer }) => answer(result) })
  const turnWithFiles = (play: Play) =>
    Effect.gen(function* () {
      const files: Array<Uint8Array> = []
      const place = {
        spill: (name: string) =>
          Effect.succeed({
            path: `/spilled/${name}-${files.length}`,
            write: (bytes: Uint8Array) => Effect.sync(() => files.push(bytes) > 0)
          })
      }
      return { files, ...(yield* turnWith(play, { turn: { place: { ...noPlace(), ...place } } })) }
    })

  it.live(
    "10 MB of text go into a file",
    () =>
      Effect.gen(function* () {
        const { call, files } = yield* answering({ content: [{ type: "text", text: "0123456789".repeat(1_048_576) }] })
        const result = yield* call("mcp__fake__work")
        assert.strictEqual(result.outcome, "succeeded")
        assert.isBelow(result.text.length, 30_000)
        assert.match(result.text, /Shown are 20000 of 10485760 characters\. All of it is in \/spilled\/mcp-0/)
        assert.strictEqual(files[0]!.length, 10_485_760)
      }),
    slow
  )

  it.live(
    "more than a message may have ends the call",
    () =>
      Effect.gen(function* () {
        const { call } = yield* turnWith(
          {
            "tools/call": ({ response }) => {
              response.writeHead(200, { "content-type": "text/event-stream" })
              const chunk = Buffer.alloc(1_048_576, 97)
              const more = () => {
                while (response.writable && response.write(chunk)) {}
              }
              response.on("drain", more).on("error", () => {})
              response.write("data: ")
              more()
            }
          },
          {}
        )
        const result = yield* call("mcp__fake__work")
        assert.strictEqual(result.outcome, "failed")
        assert.match(result.text, /a message of more than 33554432 bytes/)
      }),
    slow
  )

  it.live(
    "images that are none, audio, binary resources, structure without text, nothing at all",
    () =>
      Effect.gen(function* () {
        const data = Buffer.from("these are no pictures").toString("base64")
        const strange = yield* answering({
          content: [
            { type: "image", data, mimeType: "image/png" },
            { type: "audio", data, mimeType: "audio/wav" },
            { type: "resource", resource: { uri: "x://y", blob: data, mimeType: "application/zip" } }
          ]
        })
        const result = yield* strange.call("mcp__fake__work")
        assert.match(result.text, /image\/png, which is no image that can be shown, 21 bytes, kept in \/spilled\/mcp-0/)
        assert.match(result.text, /Audio, audio\/wav/)
        assert.match(result.text, /application\/zip of x:\/\/y/)
        const structured = yield* answering({ content: [], structuredContent: { sum: 5 } })
        assert.match((yield* structured.call("mcp__fake__work")).text, /"sum": 5/)
        const empty = yield* answering({ content: [] })
        assert.match((yield* empty.call("mcp__fake__work")).text, /without content/)
      }),
    slow
  )
})

describe("Credentials", () => {
  const wants =
    (value: string): Play[string] =>
    ({ request, response }) => {
      if (request.headers.authorization === `Bearer ${value}`) return true
      const wants = `Bearer resource_metadata="https://auth.example/meta", scope="read", error="invalid_token"`
      response.writeHead(401, { "www-authenticate": wants }).end()
      return false
    }
  const guarded = (value: string): Play =>
    Object.fromEntries(
      ["server/discover", "initialize", "notifications/initialized", "tools/list", "tools/call"].map((method) => [
        method,
        wants(value)
      ])
    )

  it.live(
    "go along by the server's name, as bearer or headers",
    () =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const secret = (name: string) => Effect.sync(() => (asked.push(name), JSON.stringify({ bearer: "k1" })))
        const { call } = yield* turnWith(guarded("k1"), { turn: { secret } })
        assert.strictEqual((yield* call("mcp__fake__work")).text, "done")
        assert.deepStrictEqual([...new Set(asked)], ["mcp/fake"])
        const headers = () => Effect.succeed(JSON.stringify({ headers: { Authorization: "Bearer k1" } }))
        const other = yield* turnWith(guarded("k1"), { turn: { secret: headers } })
        assert.strictEqual((yield* other.call("mcp__fake__work")).text, "done")
      }),
    slow
  )

  it.live(
    "are asked for anew once when they do not work",
    () =>
      Effect.gen(function* () {
        let refreshed = 0
        let value = JSON.stringify({ bearer: "old" })
        const refresh = () =>
          Effect.sync(() => {
            refreshed++
            return (value = JSON.stringify({ bearer: "new" }))
          })
        const turn = { secret: () => Effect.sync(() => value), refresh }
        const { call } = yield* turnWith(guarded("new"), { turn })
        assert.strictEqual((yield* call("mcp__fake__work")).text, "done")
        assert.strictEqual(refreshed, 1)
      }),
    slow
  )

  it.live(
    "that still do not work leave the session without the server, and are in no word of it",
    () =>
      Effect.gen(function* () {
        const turn = {
          secret: () => Effect.succeed(JSON.stringify({ bearer: "hush" })),
          refresh: () => Effect.succeed(JSON.stringify({ bearer: "hush-hush" }))
        }
        const { names, told } = yield* turnWith(guarded("right"), { turn })
        assert.deepStrictEqual(names, [])
        assert.deepStrictEqual(reasons(told), ["mcp_authentication_failed unauthorized"])
        assert.deepStrictEqual(told[0]?.details["wants"], {
          credentials: "not_accepted",
          resource_metadata: "https://auth.example/meta",
          scope: "read",
          error: "invalid_token"
        })
        assert.notInclude(JSON.stringify(told), "hush")
        const without = yield* turnWith(guarded("right"))
        assert.deepInclude(without.told[0]?.details["wants"], { credentials: "none" })
        const unreadable = yield* turnWith({}, { turn: { secret: () => Effect.succeed("hush") } })
        assert.match(unreadable.told[0]!.message, /its secret is neither/)
        assert.notInclude(JSON.stringify(unreadable.told), "hush")
      }),
    slow
  )
})

describe("A call that is interrupted", () => {
  it.live(
    "is called off at the server",
    () =>
      Effect.gen(function* () {
        const { call, frames, server } = yield* turnWith({ "tools/call": ({ stream }) => void stream() })
        const running = yield* Effect.forkChild(call("mcp__fake__work"))
        yield* until(() => server.count("tools/call") === 1)
        yield* Fiber.interrupt(running)
        assert.strictEqual(frames.last("ToolFinished").outcome, "interrupted")
        yield* until(() => server.count("notifications/cancelled") === 1 && server.open.size === 0)
      }),
    slow
  )
})
