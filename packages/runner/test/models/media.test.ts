import { assert, describe, it } from "@effect/vitest"
import type { Json } from "@troupe/domain/Json"
import { type Block, text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect, Stream } from "effect"
import { faultyProvider } from "../support/FaultyProvider.ts"
import { modelClients } from "../support/modelClients.ts"
import { eventId } from "../support/requests.ts"

const png = "iVBORw0KGgo="
const pdf = "JVBERi0xLjc="
const pictureAt = "https://pictures.test/a.png"
const paperAt = "https://papers.test/a.pdf"

const picture: Block = { type: "image", source: { type: "base64", mediaType: "image/png", data: png } }
const paper = { type: "document", source: { type: "base64", mediaType: "application/pdf", data: pdf } } as const

const user = (...content: ReadonlyArray<Block>): HistoryItem => ({ type: "user", inputId: null, from: null, content })

const called: ReadonlyArray<HistoryItem> = [
  {
    type: "tool_call",
    callId: eventId(1),
    requestId: null,
    providerCallId: "call_1",
    name: "look",
    server: null,
    input: {}
  },
  {
    type: "tool_result",
    callId: eventId(1),
    providerCallId: "call_1",
    outcome: "succeeded",
    content: [...text("seen"), picture, paper],
    isError: false
  }
]

/** What a server is told of a conversation. */
const sent = Effect.fnUntraced(function* (by: string, history: ReadonlyArray<HistoryItem>) {
  const provider = yield* faultyProvider
  provider.reply = (response) => response.writeHead(401, { "content-type": "application/json" }).end("{}")
  const { client, model } = modelClients(provider)[by]!()
  const request = { model, instructions: [], history, tools: [], settings: {}, cacheKey: "k" }
  yield* Effect.ignore(Stream.runDrain(client.stream(request)))
  const body = JSON.parse(provider.asked[0]!) as { readonly messages?: Json; readonly input?: Json }
  // Where a provider may remember from is no part of what it is told.
  const told = JSON.stringify(body.messages ?? body.input, (key, value: Json) =>
    key === "cache_control" ? undefined : value
  )
  return JSON.parse(told) as Json
}, Effect.scoped)

const asked = user(
  ...text("What is this?"),
  picture,
  { type: "image", source: { type: "url", url: pictureAt } },
  { ...paper, title: "paper.pdf", context: "from the archive" },
  { type: "document", source: { type: "url", url: paperAt } },
  { type: "document", source: { type: "text", mediaType: "text/plain", data: "plain words" }, title: "notes" }
)

describe("Pictures and documents", () => {
  it.live("are Anthropic's own kinds of content, in messages and in results", () =>
    Effect.gen(function* () {
      const base64 = (media_type: string, data: string) => ({ type: "base64", media_type, data })
      assert.deepStrictEqual(yield* sent("Anthropic Messages", [asked]), [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: base64("image/png", png) },
            { type: "image", source: { type: "url", url: pictureAt } },
            {
              type: "document",
              source: base64("application/pdf", pdf),
              title: "paper.pdf",
              context: "from the archive"
            },
            { type: "document", source: { type: "url", url: paperAt } },
            {
              type: "document",
              source: { type: "text", media_type: "text/plain", data: "plain words" },
              title: "notes"
            }
          ]
        }
      ])
      const [, , result] = (yield* sent("Anthropic Messages", [user(...text("go")), ...called])) as ReadonlyArray<Json>
      assert.deepStrictEqual(result, {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "call_1",
            is_error: false,
            content: [
              { type: "text", text: "seen" },
              { type: "image", source: base64("image/png", png) },
              { type: "document", source: base64("application/pdf", pdf) }
            ]
          }
        ]
      })
    })
  )

  it.live("are parts of the input of Responses, in messages and in outputs", () =>
    Effect.gen(function* () {
      const image = { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` }
      const file = (filename: string) => ({
        type: "input_file",
        filename,
        file_data: `data:application/pdf;base64,${pdf}`
      })
      assert.deepStrictEqual(yield* sent("OpenAI Responses", [asked]), [
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            image,
            { type: "input_image", detail: "auto", image_url: pictureAt },
            { type: "input_text", text: "About paper.pdf: from the archive" },
            file("paper.pdf"),
            { type: "input_file", file_url: paperAt },
            { type: "input_text", text: "notes\n\nplain words" }
          ]
        }
      ])
      const [, , result] = (yield* sent("OpenAI Responses", [user(...text("go")), ...called])) as ReadonlyArray<Json>
      assert.deepStrictEqual(result, {
        type: "function_call_output",
        call_id: "call_1",
        output: [{ type: "input_text", text: "seen" }, image, file("document.pdf")]
      })
    })
  )

  it.live("are parts of messages of Chat Completions, those of a result in a message after it", () =>
    Effect.gen(function* () {
      const image = { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }
      const file = (filename: string) => ({
        type: "file",
        file: { filename, file_data: `data:application/pdf;base64,${pdf}` }
      })
      assert.deepStrictEqual(yield* sent("Chat Completions", [asked]), [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            image,
            { type: "image_url", image_url: { url: pictureAt } },
            { type: "text", text: "About paper.pdf: from the archive" },
            file("paper.pdf"),
            { type: "text", text: `[a document at ${paperAt}]` },
            { type: "text", text: "notes\n\nplain words" }
          ]
        }
      ])
      const told = (yield* sent("Chat Completions", [user(...text("go")), ...called])) as ReadonlyArray<Json>
      assert.deepStrictEqual(told.slice(2), [
        { role: "tool", tool_call_id: "call_1", content: "seen\n[image]\n[file]" },
        { role: "user", content: [image, file("document.pdf")] }
      ])
    })
  )
})
