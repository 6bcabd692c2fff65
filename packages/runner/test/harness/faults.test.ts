import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Result } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import * as AnthropicModel from "../../src/models/anthropic/AnthropicModel.ts"
import type { ModelClient } from "../../src/models/ModelClient.ts"
import * as OpenAiModel from "../../src/models/openai/OpenAiModel.ts"
import { faults, faultyProvider } from "../support/FaultyProvider.ts"
import * as FakeRun from "./FakeRun.ts"

const silenceMs = 400
const common = { apiKey: Redacted.make("a key for tests"), headers: {}, silenceMs }
const interfaces: Readonly<Record<string, (url: string) => ModelClient>> = {
  "Anthropic Messages": (baseUrl) => AnthropicModel.make({ ...common, provider: "anthropic", baseUrl }),
  "OpenAI Responses": (url) => OpenAiModel.makeResponses({ ...common, provider: "openai", baseUrl: `${url}/v1` }),
  "Chat Completions": (url) => OpenAiModel.makeChat({ ...common, provider: "compatible", baseUrl: `${url}/v1` })
}

const harnessOver = (client: ModelClient) =>
  OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed({ client, model: "a-model", price: null })) })

const closed = (open: () => number) =>
  Effect.gen(function* () {
    while (open() > 0) yield* Effect.sleep(10)
  })

for (const [name, make] of Object.entries(interfaces)) {
  describe(`A provider of ${name}`, () => {
    for (const [fault, reply] of Object.entries(faults)) {
      it.live(`that ${fault} fails the attempt so that it is tried again, and is left`, () =>
        Effect.gen(function* () {
          const provider = yield* faultyProvider
          provider.reply = reply
          const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")] })
          const end = yield* harnessOver(make(provider.url)).run(fake.run)
          assert.deepInclude(end, { _tag: "Failed", retryable: true })
          assert.match(end._tag === "Failed" ? end.error.code : "", /^model_(request_failed|timeout)$/)
          assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
          // Whether to try again is the session's business: nobody asked twice. A machine at work may be silent before once.
          assert.isAtMost(provider.asked.length, 1)
          yield* closed(provider.open)
        })
      )
    }

    it.live("that is not there, or has no such interface, is told as such", () =>
      Effect.gen(function* () {
        const provider = yield* faultyProvider
        provider.reply = (response) => response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not here</h1>")
        const run = (url: string) =>
          harnessOver(make(url)).run(FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")] }).run)
        const nowhere = yield* run("http://127.0.0.1:9")
        assert.deepInclude(nowhere, { _tag: "Failed", retryable: true })
        assert.match(nowhere._tag === "Failed" ? nowhere.error.message : "", /a-model: Connection error: .+/)
        const other = yield* run(provider.url)
        assert.deepInclude(other, { _tag: "Failed", retryable: false })
        assert.strictEqual(other._tag === "Failed" && other.error.code, "model_request_refused")
        assert.match(
          other._tag === "Failed" ? other.error.message : "",
          /a-model: nothing there serves models.*base URL/
        )
      })
    )

    it.live("is left at once when people interrupt", () =>
      Effect.gen(function* () {
        const provider = yield* faultyProvider
        provider.reply = faults["hangs after its headers"]
        const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")] })
        const patient = make(provider.url)
        const fiber = yield* Effect.forkChild(harnessOver(patient).run(fake.run))
        while (provider.asked.length === 0) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
        yield* closed(provider.open)
        assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
      })
    )
  })
}

describe("A provider that is slow", () => {
  const piece = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`

  it.live("is waited for as long as something comes, however long the whole takes", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        let left = 6
        const timer = setInterval(() => {
          if (--left > 0) return response.write(piece("so "))
          clearInterval(timer)
          const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
          return response.end(`data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`)
        }, silenceMs / 4)
        return undefined
      }
      const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")] })
      const client = interfaces["Chat Completions"]!(provider.url)
      assert.deepInclude(yield* harnessOver(client).run(fake.run), { _tag: "Completed" })
      assert.deepStrictEqual(FakeRun.said(fake.frames), ["so so so so so "])
    })
  )

  it.live("and falls silent in the middle has what it said kept, and is given up", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write(piece("Once upon"))
      }
      const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")] })
      const client = interfaces["Chat Completions"]!(provider.url)
      const end = yield* harnessOver(client).run(fake.run)
      assert.deepInclude(end, { _tag: "Failed", retryable: true })
      assert.strictEqual(end._tag === "Failed" && end.error.code, "model_timeout")
      assert.deepStrictEqual(FakeRun.said(fake.frames), ["Once upon…"])
      const usage = fake.frames.flatMap((body) => (body._tag === "ModelRequestEnded" ? [body.usage.source] : []))
      assert.deepStrictEqual(usage, ["estimated"])
      yield* closed(provider.open)
    })
  )
})
