import { assert, describe, it } from "@effect/vitest"
import type { Block } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Redacted, Result } from "effect"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import type { ModelClient } from "../../src/models/ModelClient.ts"
import { Models } from "../../src/models/Models.ts"
import * as OpenAiModel from "../../src/models/openai/OpenAiModel.ts"
import { faultyProvider, type Reply } from "../support/FaultyProvider.ts"
import * as FakeRun from "./FakeRun.ts"

const saying =
  (words: string): Reply =>
  (response) => {
    const choice = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(`${choice({ content: words }, null)}${choice({}, "stop")}data: [DONE]\n\n`)
  }

const common = { apiKey: Redacted.make("a key for tests"), headers: {}, silenceMs: 5_000 }
const chat = (url: string) => OpenAiModel.makeChat({ ...common, provider: "compatible", baseUrl: `${url}/v1` })
const harnessOver = (client: ModelClient) =>
  OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed({ client, model: "a-model", price: null })) })

const sends = (...content: ReadonlyArray<Block>): HistoryItem => ({ type: "user", inputId: null, from: null, content })
const image = (data: string, mediaType = "image/png"): Block => ({
  type: "image",
  source: { type: "base64", mediaType, data }
})
const base64 = (text: string) => Buffer.from(text, "latin1").toString("base64")
const png = base64("\x89PNG\r\n\x1a\n and so on")
const notes = (frames: ReadonlyArray<FrameBody>) =>
  frames.flatMap((body) => (body._tag === "Noted" && body.event._tag === "PlatformNoted" ? [body.event] : []))

describe("A conversation with", () => {
  it.live("images and documents that are none goes on: the model reads of them, and people are told once", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = saying("I see.")
      const history = [
        sends(image(base64("GIF89a of long ago"), "image/png"), image(base64("<svg>"), "image/png")),
        sends(
          { type: "text", text: "look" },
          image(png),
          image("no base64 at all!"),
          image(base64("#!/bin/sh"), "image/jpeg"),
          { type: "document", source: { type: "base64", mediaType: "application/pdf", data: base64("no PDF") } }
        )
      ]
      const fake = FakeRun.make({ model: "a-model", history })
      assert.deepInclude(yield* harnessOver(chat(provider.url)).run(fake.run), { _tag: "Completed" })
      const { messages } = JSON.parse(provider.asked[0]!) as { readonly messages: ReadonlyArray<object> }
      const parts = JSON.stringify(messages)
      assert.include(parts, `data:image/png;base64,${png}`)
      assert.include(parts, "data:image/gif;base64,")
      assert.lengthOf(parts.match(/image_url":\{/g) ?? [], 2)
      assert.notInclude(parts, "file_data")
      assert.lengthOf(parts.match(/that is none/g) ?? [], 4)
      // What was said before this message was told of before.
      assert.deepStrictEqual(
        notes(fake.frames).map(({ code, message }) => [code, /image\/png|image\/jpeg|PDF/.exec(message)?.[0]]),
        [
          ["content_unreadable", "image/png"],
          ["content_unreadable", "image/jpeg"],
          ["content_unreadable", "PDF"]
        ]
      )
    })
  )

  it.live("documents of other kinds is told their text, or that nobody can read them", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = saying("I see.")
      const document = (mediaType: string, data: string): Block => ({
        type: "document",
        source: { type: "base64", mediaType, data: base64(data) }
      })
      const pdf = document("application/octet-stream", "%PDF-1.7 and so on")
      const history = [sends(document("text/csv", "a,b\n1,2"), document("application/msword", "\xd0\xcf\x11"), pdf)]
      const fake = FakeRun.make({ model: "a-model", history })
      assert.deepInclude(yield* harnessOver(chat(provider.url)).run(fake.run), { _tag: "Completed" })
      for (const part of [
        "a,b\\n1,2",
        "can't read: it was sent as application/msword",
        "data:application/pdf;base64"
      ]) {
        assert.include(provider.asked[0], part)
      }
      assert.lengthOf(notes(fake.frames), 1)
    })
  )

  it.live("pictures that the provider refuses goes on without them, and people are told why", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = (response, request, body) => {
        if (!body.includes("image_url")) return saying("What was it?")(response, request, body)
        const error = { type: "invalid_request_error", message: "Could not download it" }
        return response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error }))
      }
      const link: Block = { type: "image", source: { type: "url", url: "https://example.com/gone.png" } }
      const fake = FakeRun.make({ model: "a-model", history: [sends({ type: "text", text: "look" }, link)] })
      assert.deepInclude(yield* harnessOver(chat(provider.url)).run(fake.run), { _tag: "Completed" })
      assert.lengthOf(provider.asked, 2)
      assert.include(provider.asked[1], "An image that the provider refuses")
      assert.deepStrictEqual(
        notes(fake.frames).map(({ code, message }) => [code, /Could not download it/.test(message)]),
        [["content_refused", true]]
      )
      assert.deepStrictEqual(FakeRun.unbalanced(fake.frames), [])
    })
  )

  it.live("text that is no Unicode reaches the provider as JSON, and an answer with such text comes back", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = saying("half a \ud83d smile, and \u0000")
      const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("a lone \udc00, a \u0000, a \uffff")] })
      assert.deepInclude(yield* harnessOver(chat(provider.url)).run(fake.run), { _tag: "Completed" })
      assert.isTrue(provider.asked[0]!.isWellFormed())
      assert.doesNotThrow(() => JSON.parse(provider.asked[0]!))
      assert.match(FakeRun.said(fake.frames)[0] ?? "", /^half a .* smile/)
    })
  )

  it.live("more tools than the provider takes tells people which model is not told of all", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = (response) => response.writeHead(401).end("{}")
      const done = () => Effect.succeed("done")
      const tools = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`tool_${index}`, done]))
      const fake = FakeRun.make({ model: "a-model", history: [FakeRun.user("hello")], tools })
      const responses = OpenAiModel.makeResponses({ ...common, provider: "openai", baseUrl: `${provider.url}/v1` })
      yield* harnessOver(responses).run(fake.run)
      const { tools: sent } = JSON.parse(provider.asked[0]!) as { readonly tools: ReadonlyArray<unknown> }
      assert.lengthOf(sent, 128)
      assert.deepStrictEqual(
        notes(fake.frames).map(({ code, message }) => [code, message]),
        [["tool_too_many", "a-model takes 128 tools: it is not told of the last 172"]]
      )
    })
  )
})

describe("A model that", () => {
  it.live("is nobody's, or whose key is missing or wrong, fails the turn at once and says why", () =>
    Effect.gen(function* () {
      const provider = yield* faultyProvider
      provider.reply = (response) =>
        response.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"You have no key"}}')
      const layer = Models.layer({
        providers: [
          { name: "keyless", kind: "openai-chat", baseUrl: `${provider.url}/v1` },
          { name: "nobody", kind: "openai" }
        ]
      })
      yield* Effect.gen(function* () {
        const { choose } = yield* Models
        const harness = OpenAiAgents.make({ choose: (name, { secret }) => choose(name, secret) })
        const end = (model: string) => harness.run(FakeRun.make({ model, history: [FakeRun.user("hello")] }).run)
        const unknown = yield* end("no-such-model")
        assert.deepInclude(unknown, { _tag: "Failed", retryable: false })
        assert.include(JSON.stringify(unknown), "no-such-model")
        const keyless = yield* end("keyless/a-model")
        assert.deepInclude(keyless, { _tag: "Failed", retryable: false })
        assert.strictEqual(keyless._tag === "Failed" && keyless.error.code, "model_access_denied")
        assert.include(JSON.stringify(keyless), "You have no key")
        assert.deepInclude(yield* end("demo"), { _tag: "Completed" })
      }).pipe(Effect.provide(layer))
    })
  )
})
