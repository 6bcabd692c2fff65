import { assert, describe, it } from "@effect/vitest"
import type { Block } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import { Effect } from "effect"
import { hash } from "node:crypto"
import { shown } from "../../src/harness/model/content.ts"
import { eventId } from "../support/requests.ts"

const content = new Map<string, Buffer>()

const gif = "GIF89a"
const pdf = "%PDF-1.7"

const kept = (text: string, mediaType: string) => {
  const sha256 = hash("sha256", text, "hex")
  content.set(sha256, Buffer.from(text))
  return { sha256: sha256 as never, bytes: text.length, mediaType }
}
const blob = (text: string, mediaType: string) => ({
  type: "blob" as const,
  blob: { ...kept(text, mediaType), preview: text.slice(0, 3) }
})
const file = (text: string, mediaType: string) => ({
  type: "file" as const,
  fileId: "file_01" as never,
  content: kept(text, mediaType)
})

const told = (type: "user" | "tool_result", ...blocks: ReadonlyArray<Block>) => {
  const item: HistoryItem =
    type === "user"
      ? { type, inputId: null, from: null, content: blocks }
      : { type, callId: eventId(1), providerCallId: "1", outcome: "succeeded", content: blocks, isError: false }
  return Effect.map(
    shown([item], ({ sha256 }) => Effect.sync(() => content.get(sha256) ?? null)),
    ({ history: [one] }) => (one as { readonly content: ReadonlyArray<Block> }).content
  )
}

const base64 = (text: string, mediaType: string) => ({
  type: "base64",
  mediaType,
  data: Buffer.from(text).toString("base64")
})

describe("what a model is told of content that is elsewhere", () => {
  it.effect("is all of a picture and of a document, as a blob and as a file", () =>
    Effect.gen(function* () {
      const blocks = yield* told(
        "user",
        { type: "image", source: blob(gif, "image/gif") },
        { type: "image", source: file(gif, "image/gif") },
        { type: "document", source: file(pdf, "application/pdf"), title: "t" },
        { type: "document", source: file("# words", "text/markdown") },
        { type: "document", source: blob("words", "text/plain; charset=utf-8") }
      )
      assert.deepStrictEqual(blocks as unknown, [
        { type: "image", source: base64(gif, "image/gif") },
        { type: "image", source: base64(gif, "image/gif") },
        { type: "document", source: base64(pdf, "application/pdf"), title: "t" },
        { type: "document", source: { type: "text", mediaType: "text/plain", data: "# words" } },
        { type: "document", source: { type: "text", mediaType: "text/plain", data: "words" } }
      ])
    })
  )

  it.effect("is all of what a person said, and the beginning of what a tool did", () =>
    Effect.gen(function* () {
      const long = blob("a long text", "text/plain; charset=utf-8")
      assert.deepStrictEqual(yield* told("user", long), [{ type: "text", text: "a long text" }])
      assert.deepStrictEqual(yield* told("tool_result", long), [long])
    })
  )

  it.effect("stays a reference where it can't be had, or is too large", () =>
    Effect.gen(function* () {
      const gone: Block = { type: "image", source: file("gone", "image/png") }
      const named: Block = { type: "image", source: { type: "file", fileId: "file_01" as never } }
      const large = file("large", "image/png")
      const huge: Block = { type: "image", source: { ...large, content: { ...large.content, bytes: 30_000_000 } } }
      content.delete(hash("sha256", "gone", "hex"))
      assert.deepStrictEqual(yield* told("user", gone, named, huge), [gone, named, huge])
    })
  )
})
