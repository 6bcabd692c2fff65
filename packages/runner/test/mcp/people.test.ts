import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { describe } from "vitest"
import type { McpPeople, McpQuestion, McpSampling } from "../../src/mcp/McpPeople.ts"
import { nobody } from "../../src/mcp/McpPeople.ts"
import { fakeServer } from "./FakeServer.ts"
import { openTurn, serving, sessions, slow, url } from "./world.ts"

const everything = Effect.fnUntraced(function* (people: McpPeople, sampling = false) {
  const { port } = yield* serving("streamableHttp")
  const world = yield* Layer.build(sessions([`127.0.0.1:${port}`]))
  return yield* openTurn({
    people: () => people,
    servers: [url("e", `http://127.0.0.1:${port}/mcp`, { sampling })]
  }).pipe(Effect.provide(world))
})

describe("A server that asks a person", () => {
  it.live(
    "gets the answer",
    () =>
      Effect.gen(function* () {
        const questions: Array<McpQuestion> = []
        const askHuman = (question: McpQuestion) =>
          Effect.sync(() => {
            questions.push(question)
            return { action: "accept", content: { name: "Ada", check: true } } as const
          })
        const { call } = yield* everything({ ...nobody, askHuman })
        const result = yield* call("mcp__e__trigger-elicitation-request")
        assert.match(result.text, /Ada/)
        assert.deepStrictEqual(
          questions.map(({ server, schema }) => [server, schema?.["type"]]),
          [["e", "object"]]
        )
      }),
    slow
  )

  it.live(
    "is told that it was declined, where there is nobody",
    () =>
      Effect.gen(function* () {
        const { call } = yield* everything(nobody)
        assert.match((yield* call("mcp__e__trigger-elicitation-request")).text, /declined/)
      }),
    slow
  )

  it.live(
    "waits for as long as the person takes, however short its own patience",
    () =>
      Effect.gen(function* () {
        const server = yield* fakeServer({
          "tools/call": ({ message, stream }) => {
            const say = stream()
            say({
              jsonrpc: "2.0",
              id: "q1",
              method: "elicitation/create",
              params: { message: "Sure?", requestedSchema: { type: "object", properties: {} } }
            })
            finish = () =>
              say({ jsonrpc: "2.0", id: message.id!, result: { content: [{ type: "text", text: "went on" }] } })
          }
        })
        let finish = () => {}
        const askHuman = () =>
          Effect.delay(
            Effect.sync(() => (finish(), { action: "accept" as const })),
            1_500
          )
        const world = yield* Layer.build(sessions([server.authority]))
        const turn = {
          people: () => ({ ...nobody, askHuman }),
          servers: [url("fake", server.address, { timeout_ms: 500 })]
        }
        const { call } = yield* openTurn(turn).pipe(Effect.provide(world))
        assert.strictEqual((yield* call("mcp__fake__work")).text, "went on")
      }),
    slow
  )
})

describe("A server that wants text from the session's model", () => {
  it.live(
    "is refused, unless its entry allows it",
    () =>
      Effect.gen(function* () {
        const sample = () => Effect.die("nothing is sampled")
        const { names } = yield* everything({ ...nobody, sample })
        // This server offers the tool only to clients that can do it.
        assert.notInclude(names, "mcp__e__trigger-sampling-request")
      }),
    slow
  )

  it.live(
    "gets it where that is allowed and there is a model, and a refusal where there is none",
    () =>
      Effect.gen(function* () {
        const asked: Array<McpSampling> = []
        const sample = (sampling: McpSampling) =>
          Effect.sync(() => {
            asked.push(sampling)
            return { model: "demo", role: "assistant", content: { type: "text", text: "a poem" } }
          })
        const first = yield* everything({ ...nobody, sample }, true)
        const input = { prompt: "write", maxTokens: 10 }
        assert.match((yield* first.call("mcp__e__trigger-sampling-request", input)).text, /a poem/)
        assert.match(JSON.stringify(asked[0]!.params), /write/)
        const other = yield* everything(nobody, true)
        const refused = yield* other.call("mcp__e__trigger-sampling-request", input)
        assert.match(refused.text, /Sampling is refused/)
      }),
    slow
  )
})
