import { assert, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Layer, Redacted } from "effect"
import { describe } from "vitest"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { probeMcpServer } from "../../src/mcp/probeMcpServer.ts"
import { outbound } from "../support/outbound.ts"
import { fakeServer, type Play, tool, until } from "./FakeServer.ts"
import { slow, stdio, url } from "./world.ts"

const probed = Effect.fnUntraced(function* (play: Play, bearer: string | null = null, options: JsonObject = {}) {
  const server = yield* fakeServer(play)
  const secret = bearer === null ? null : Redacted.make(JSON.stringify({ bearer }))
  const world = Layer.mergeAll(outbound([server.authority]), Layer.orDie(TrustStore.layer()))
  const found = yield* probeMcpServer({ server: url("fake", server.address, options), secret }).pipe(
    Effect.provide(world)
  )
  return { found, server }
})

const search = {
  name: "search",
  description: "Finds pages",
  inputSchema: { type: "object", properties: { query: { type: "string" }, limit: {} }, required: ["query"] },
  annotations: { readOnlyHint: true }
}

describe("A server that is asked what it has", () => {
  it.live(
    "tells its tools, of those that are allowed, and is left alone afterwards",
    () =>
      Effect.gen(function* () {
        const play: Play = {
          "tools/list": ({ answer }) => answer({ tools: [search, tool("drop"), { name: "odd" }] })
        }
        const { found, server } = yield* probed(play, null, { allowed_tools: ["se*"], trust_annotations: true })
        assert.deepStrictEqual(found, {
          outcome: "listed",
          listing: {
            tools: [
              {
                name: "search",
                description: "Finds pages",
                arguments: [
                  { name: "query", required: true },
                  { name: "limit", required: false }
                ],
                read_only: true
              }
            ],
            has_resources: false,
            has_prompts: false,
            problems: [`its tool "odd" is not described as MCP wants it`]
          }
        })
        yield* until(() => server.open.size === 0)
        const doubting = yield* probed({ "tools/list": ({ answer }) => answer({ tools: [search] }) })
        assert.isFalse(doubting.found.outcome === "listed" && doubting.found.listing.tools[0]!.read_only)
      }),
    slow
  )

  it.live(
    "says that it wants a login, and repeats no secret",
    () =>
      Effect.gen(function* () {
        const refuse: Play = {
          initialize: ({ request, response }) =>
            void response.writeHead(401).end(`who is ${request.headers.authorization}?`)
        }
        const { found } = yield* probed(refuse, "hush-hush")
        assert.strictEqual(found.outcome, "unauthorized")
        assert.notInclude(JSON.stringify(found), "hush")
        const parrot: Play = {
          "tools/list": ({ answer, request }) =>
            answer({ tools: [{ ...search, description: `I was told ${request.headers.authorization}` }] })
        }
        const told = yield* probed(parrot, "hush-hush")
        assert.strictEqual(told.found.outcome, "listed")
        assert.notInclude(JSON.stringify(told.found), "hush")
      }),
    slow
  )

  it.live(
    "has no more room in an answer than others beside it leave",
    () =>
      Effect.gen(function* () {
        const many = Array.from({ length: 1_000 }, (_, n) => ({
          ...search,
          name: `tool_${n}`,
          description: "a".repeat(5_000)
        }))
        const { found } = yield* probed({ "tools/list": ({ answer }) => answer({ tools: many }) })
        assert.strictEqual(found.outcome, "listed")
        if (found.outcome !== "listed") return
        assert.isBelow(JSON.stringify(found).length, 150_000)
        const left = many.length - found.listing.tools.length
        assert.isAbove(found.listing.tools.length, 100)
        assert.deepStrictEqual(found.listing.problems, [`${left} more tools are not shown here`])
      }),
    slow
  )

  it.live(
    "fails in words: one that answers garbage, one that may not be reached, one that is none, a program",
    () =>
      Effect.gen(function* () {
        const { found } = yield* probed({
          initialize: ({ response }) => void response.writeHead(200, { "content-type": "application/json" }).end("{")
        })
        assert.strictEqual(found.outcome, "failed")
        const elsewhere = (server: JsonObject) =>
          probeMcpServer({ server, secret: null }).pipe(
            Effect.provide(Layer.mergeAll(outbound([]), Layer.orDie(TrustStore.layer())))
          )
        for (const [server, why] of [
          [url("inner", "http://127.0.0.1:9/mcp"), /address|public|loopback/i],
          [url("odd", "ftp://example.com"), /neither http/],
          [stdio("program", "x"), /sandbox/]
        ] as const) {
          const one = yield* elsewhere(server)
          assert.strictEqual(one.outcome, "failed")
          if (one.outcome === "failed") assert.match(one.detail, why)
        }
      }),
    slow
  )
})
