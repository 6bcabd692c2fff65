import { ApiFailure } from "@troupe/domain/api/ApiError"
import { utf8Length } from "@troupe/domain/CanonicalJson"
import { Limits } from "@troupe/domain/Limits"
import type { BlobRef, Block } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import { Effect } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { BlobStore } from "../log/BlobStore.ts"
import { CommandBytesMax } from "../session/CommandBytesMax.ts"

const previewLength = 1_000
/** Room for what a command has beside its content. */
const aroundBytes = 65_536

const textType = "text/plain; charset=utf-8"

const put = Effect.fnUntraced(function* (bytes: Uint8Array, mediaType: string, preview: string) {
  const blobs = yield* BlobStore
  const { workspaceId } = yield* Caller
  const sha256 = yield* blobs.put(workspaceId, bytes, mediaType).pipe(
    Effect.catch((error) =>
      Effect.andThen(
        Effect.logError("Content of an event could not be kept", error),
        Effect.fail(
          new ApiFailure({
            type: "api_error",
            status: 503,
            message: "The request can't be kept right now",
            retryAfterMs: 1_000
          })
        )
      )
    )
  )
  return { sha256: sha256 as BlobRef["sha256"], bytes: bytes.length, mediaType, preview }
})

/** The block with its content in a blob, where that is longer than `bytesMax`. */
const spilled = Effect.fnUntraced(function* (block: Block, bytesMax: number, alsoText: boolean) {
  if (block.type === "text") {
    if (!alsoText || utf8Length(block.text) <= bytesMax) return block
    const blob = yield* put(Buffer.from(block.text), textType, block.text.slice(0, previewLength).toWellFormed())
    return { type: "blob", blob } as Block
  }
  if (block.type !== "image" && block.type !== "document") return block
  const { source } = block
  if (source.type === "base64" && source.data.length > bytesMax) {
    const blob = yield* put(Buffer.from(source.data, "base64"), source.mediaType, "")
    return { ...block, source: { type: "blob", blob } } as Block
  }
  if (source.type === "text" && utf8Length(source.data) > bytesMax) {
    const blob = yield* put(
      Buffer.from(source.data),
      source.mediaType,
      source.data.slice(0, previewLength).toWellFormed()
    )
    return { ...block, source: { type: "blob", blob } } as Block
  }
  return block
})

const spill = (inputs: ReadonlyArray<Input>, bytesMax: number, isTight: boolean) =>
  Effect.forEach(inputs, (input) => {
    if (input._tag !== "Message" && input._tag !== "ToolResult") return Effect.succeed(input)
    // Of results a model is given what is in the log, so their text stays there for as long as it can.
    const alsoText = input._tag === "Message" || isTight
    return Effect.map(
      Effect.forEach(input.content, (block) => spilled(block, bytesMax, alsoText)),
      (content): Input => ({ ...input, content })
    )
  })

/** Moves large content out of what goes into the log: first what is large by itself, then more, until the rest fits. */
export const spillContent = Effect.fnUntraced(function* (inputs: ReadonlyArray<Input>) {
  const small = yield* spill(inputs, Limits.blockBytesMax, false)
  const fits = utf8Length(JSON.stringify(small)) <= (yield* CommandBytesMax) - aroundBytes
  return fits ? small : yield* spill(small, Limits.blockBytesMax / 8, true)
})
