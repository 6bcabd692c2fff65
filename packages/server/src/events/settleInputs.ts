import { forbidden, invalid, notFound } from "@troupe/domain/api/ApiError"
import { rubricMax } from "@troupe/domain/api/compat/inputs"
import type { FileId } from "@troupe/domain/Ids"
import type { Block, Content } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import { Effect, Stream } from "effect"
import { away } from "../files/Contents.ts"
import { Files } from "../files/Files.ts"
import { Caller } from "../gateway/Requests.ts"
import { spillContent } from "./spillContent.ts"

/** Text in other words. What models read as a document is this, or a PDF. */
const isText = (mediaType: string): boolean => /^text\/|^application\/(json|x-ndjson|xml|yaml|x-yaml)$/.test(mediaType)

const fits = (block: "image" | "document", mediaType: string): boolean =>
  block === "image" ? mediaType.startsWith("image/") : mediaType === "application/pdf" || isText(mediaType)

const fileOf = Effect.fnUntraced(function* (fileId: FileId, at: string) {
  const files = yield* Files
  const { workspaceId } = yield* Caller
  return yield* Effect.catchTag(files.find(workspaceId, fileId), "ApiFailure", ({ code, message }) =>
    Effect.fail(notFound(`${at}: ${message}`, code))
  )
})

/** The block with what its file holds now: the session keeps to that, whatever becomes of the file's name. */
const found = Effect.fnUntraced(function* (block: Block, at: string) {
  if ((block.type !== "image" && block.type !== "document") || block.source.type !== "file") return block
  const { fileId } = block.source
  const place = `${at}.source.file_id`
  const { file, sha256 } = yield* fileOf(fileId, place)
  if (!fits(block.type, file.mime_type)) {
    return yield* invalid(`${place}: File ${fileId} is ${file.mime_type}, which makes no ${block.type}`)
  }
  const content = { sha256, bytes: file.size_bytes, mediaType: file.mime_type }
  return { ...block, source: { type: "file", fileId, content } } as Block
})

/** The text of a file that is a rubric. */
const rubricOf = Effect.fnUntraced(function* (rubric: unknown, at: string) {
  const { file_id, type } = rubric as { readonly type: string; readonly file_id: FileId }
  if (type !== "file") return rubric as Extract<Input, { readonly _tag: "Outcome" }>["rubric"]
  const files = yield* Files
  const place = `${at}.rubric.file_id`
  const known = yield* fileOf(file_id, place)
  const length = known.file.size_bytes
  if (!isText(known.file.mime_type) || length > rubricMax) {
    return yield* invalid(`${place}: a rubric is a text of at most ${rubricMax} bytes`)
  }
  const pieces = yield* Stream.runCollect(yield* files.content(known, { offset: 0, length })).pipe(
    Effect.catchTag("ContentsUnavailable", away)
  )
  const content = Buffer.concat(pieces).toString()
  if (!content.isWellFormed() || content.includes("\0")) return yield* invalid(`${place}: is no text`)
  return { type: "text", content }
})

/** What a turn runs with is for those to say to whom the workspace belongs. */
const maySay = Effect.fnUntraced(function* (input: Input, at: string) {
  if (input._tag !== "Message" || Object.keys(input.overrides).length === 0) return
  const { bound } = yield* Caller
  if (bound !== null) return yield* forbidden(`${at}.troupe.overrides: this token can't change what a turn runs with`)
})

const settled = Effect.fnUntraced(function* (input: Input, at: string) {
  yield* maySay(input, at)
  switch (input._tag) {
    case "Message":
    case "ToolResult": {
      const blocks = yield* Effect.forEach(input.content, (block, n) => found(block, `${at}.content.${n}`))
      return { ...input, content: blocks as Content }
    }
    case "Outcome":
      return { ...input, rubric: yield* rubricOf(input.rubric, at) }
    default:
      return input
  }
})

/** What was sent, as a session takes it: files are looked up, and what is large is kept beside the log. */
export const settleInputs = Effect.fn("settleInputs")(function* (
  inputs: ReadonlyArray<Input>,
  at: "events" | "initial_events"
) {
  const all: ReadonlyArray<Input> = yield* Effect.forEach(inputs, (input, n) => settled(input, `${at}.${n}`))
  return yield* spillContent(all)
})
