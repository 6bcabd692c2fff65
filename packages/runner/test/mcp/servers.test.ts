import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "vitest"
import { requires } from "../../../../test/requires.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { nobody } from "../../src/mcp/McpPeople.ts"
import { makeMcpServer } from "../../src/mcp/McpServer.ts"
import { mcpServerConfigs } from "../../src/mcp/McpServerConfig.ts"
import { outbound } from "../support/outbound.ts"
import { testSite } from "../support/TestSite.ts"
import { fakeServer, until } from "./FakeServer.ts"
import {
  fromNpm,
  kill,
  openTurn,
  processesWith,
  sandboxWithNode,
  serving,
  sessions,
  slow,
  stdio,
  url
} from "./world.ts"

requires(
  "bubblewrap",
  "root",
  "open-checkout"
)("Servers that run in the sandbox", () => {
  it.live(
    "everything: tools, content of every kind, what is wrong",
    () =>
      Effect.gen(function* () {
        const { place } = yield* sandboxWithNode
        const { call, names, told } = yield* openTurn({
          place,
          servers: [stdio("everything", fromNpm("server-everything"), ["stdio"])]
        })
        assert.deepStrictEqual(told, [])
        assert.include(names, "mcp__everything__echo")
        assert.strictEqual((yield* call("mcp__everything__echo", { message: "hi" })).text, "Echo: hi")
        assert.match((yield* call("mcp__everything__get-sum", { a: 2, b: 3 })).text, /5/)
        const image = yield* call("mcp__everything__get-tiny-image")
        assert.include(
          image.content.map(({ type }) => type),
          "image"
        )
        const links = yield* call("mcp__everything__get-resource-links", { count: 2 })
        assert.match(links.text, /\[Resource .* at demo:\/\/resource/)
        const embedded = yield* call("mcp__everything__get-resource-reference", {
          resourceType: "Text",
          resourceId: 1
        })
        assert.match(embedded.text, /\[Resource demo:\/\/resource[^\]]*\]\n/)
        const structured = yield* call("mcp__everything__get-structured-content", { location: "Chicago" })
        assert.match(structured.text, /"temperature"/)
        const wrong = yield* call("mcp__everything__get-sum", { a: "two" })
        assert.strictEqual(wrong.outcome, "denied")
        assert.match(wrong.text, /`a` must be number/)
      }).pipe(Effect.provide(sessions())),
    slow
  )

  it.live(
    "filesystem: sees what the session sees, and says what it can't do",
    () =>
      Effect.gen(function* () {
        const { place, workspace } = yield* sandboxWithNode
        writeFileSync(join(workspace, "note.txt"), "written outside\n")
        const { call } = yield* openTurn({
          place,
          servers: [stdio("files", fromNpm("server-filesystem"), ["/workspace"])]
        })
        const read = yield* call("mcp__files__read_text_file", { path: "/workspace/note.txt" })
        assert.match(read.text, /written outside/)
        const written = yield* call("mcp__files__write_file", { path: "/workspace/new.txt", content: "from inside" })
        assert.strictEqual(written.outcome, "succeeded")
        assert.strictEqual(readFileSync(join(workspace, "new.txt"), "utf8"), "from inside")
        const outside = yield* call("mcp__files__read_text_file", { path: "/etc/passwd" })
        assert.strictEqual(outside.outcome, "failed")
        assert.isTrue(outside.isError)
        assert.match(outside.text, /[Aa]ccess denied/)
      }).pipe(Effect.provide(sessions())),
    slow
  )

  it.live(
    "memory: keeps its process from turn to turn, and comes back when the process has died",
    () =>
      Effect.gen(function* () {
        const { place, workspace } = yield* sandboxWithNode
        const token = randomUUID()
        const memory = {
          ...stdio("memory", fromNpm("server-memory"), [token]),
          env: { MEMORY_FILE_PATH: "/workspace/memory.json" }
        }
        const first = yield* openTurn({ place, servers: [memory] })
        yield* first.call("mcp__memory__create_entities", {
          entities: [{ name: "Ada", entityType: "person", observations: ["counts"] }]
        })
        assert.isTrue(existsSync(join(workspace, "memory.json")))
        const running = processesWith(token)
        assert.isNotEmpty(running)
        running.forEach(kill)
        yield* until(() => processesWith(token).length === 0)
        // The first calls may still meet the death, and then say so.
        const found = yield* Effect.repeat(first.call("mcp__memory__search_nodes", { query: "Ada" }), {
          until: ({ outcome }) => outcome === "succeeded",
          schedule: Schedule.spaced(100),
          times: 50
        })
        assert.match(found.text, /counts/)
        assert.isNotEmpty(processesWith(token))
      }).pipe(Effect.provide(sessions())),
    slow
  )
})

describe("Servers over HTTP", () => {
  for (const kind of ["streamableHttp", "sse"] as const) {
    it.live(
      `everything, by ${kind}`,
      () =>
        Effect.gen(function* () {
          const { port } = yield* serving(kind)
          const path = kind === "sse" ? "sse" : "mcp"
          yield* Effect.gen(function* () {
            const { call, told } = yield* openTurn({ servers: [url("everything", `http://127.0.0.1:${port}/${path}`)] })
            assert.deepStrictEqual(told, [])
            assert.strictEqual((yield* call("mcp__everything__echo", { message: "hi" })).text, "Echo: hi")
            const long = yield* call("mcp__everything__trigger-long-running-operation", { duration: 0.2, steps: 4 })
            assert.match(long.text, /completed/)
          }).pipe(Effect.provide(sessions([`127.0.0.1:${port}`])))
        }),
      slow
    )
  }

  for (const kind of ["streamableHttp", "sse"] as const) {
    it.live(
      `that were started anew are said hello to again, by ${kind}`,
      () =>
        Effect.gen(function* () {
          const { port, stop } = yield* serving(kind)
          const path = kind === "sse" ? "sse" : "mcp"
          yield* Effect.gen(function* () {
            const { call } = yield* openTurn({ servers: [url("everything", `http://127.0.0.1:${port}/${path}`)] })
            yield* call("mcp__everything__echo", { message: "one" })
            yield* stop
            const gone = yield* call("mcp__everything__echo", { message: "two" })
            assert.strictEqual(gone.outcome, "failed")
            yield* serving(kind, port)
            assert.strictEqual((yield* call("mcp__everything__echo", { message: "three" })).text, "Echo: three")
          }).pipe(Effect.provide(sessions([`127.0.0.1:${port}`])))
        }),
      slow
    )
  }

  it.live(
    "are not dialled where no rule opens its address",
    () =>
      Effect.gen(function* () {
        const { port } = yield* serving("streamableHttp")
        const { names, told } = yield* openTurn({
          servers: [url("everything", `http://127.0.0.1:${port}/mcp`)]
        }).pipe(Effect.provide(sessions()))
        assert.deepStrictEqual(names, [])
        assert.deepStrictEqual(
          told.map(({ code, details }) => [code, details["reason"]]),
          [["mcp_connection_failed", "refused"]]
        )
      }),
    slow
  )

  it.live(
    "are reached by TLS alone where they say so, with certificates that the runner believes",
    () =>
      Effect.gen(function* () {
        let ca = ""
        const server = yield* fakeServer({}, undefined, (listener) =>
          Effect.map(testSite("mcp.test", listener), (site) => {
            ca = site.ca
            return site.port
          })
        )
        const allowed = [`mcp.test:${server.port}`]
        const names = { "mcp.test": ["127.0.0.1"] }
        const servers = [url("s", `https://mcp.test:${server.port}/mcp`)]
        yield* Effect.gen(function* () {
          const { call } = yield* openTurn({ servers })
          assert.strictEqual((yield* call("mcp__s__work")).text, "done")
        }).pipe(Effect.provide(sessions(allowed, {}, names, [ca])))
        const { told } = yield* openTurn({ servers }).pipe(Effect.provide(sessions(allowed, {}, names)))
        assert.match(told[0]!.message, /can't be reached \(tls\)/)
      }),
    slow
  )

  it.live(
    "are not asked for tools that are not allowed, whoever asks",
    () =>
      Effect.gen(function* () {
        const server = yield* fakeServer({})
        const { servers } = mcpServerConfigs([url("s", server.address, { allowed_tools: ["other"] })])
        const made = yield* makeMcpServer({
          config: servers[0]!,
          exec: () => Effect.die("nothing runs"),
          credentials: { secret: Effect.succeed(null), refresh: Effect.succeed(null) },
          scrub: (text) => text
        }).pipe(Effect.provide([outbound([server.authority]), Layer.orDie(TrustStore.layer())]))
        const refused = yield* Effect.flip(
          made.call({ tool: "work", input: {}, inputSchema: { type: "object" }, people: nobody })
        )
        assert.strictEqual(refused.reason, "refused")
        assert.deepStrictEqual(server.received, [])
      }),
    slow
  )
})
