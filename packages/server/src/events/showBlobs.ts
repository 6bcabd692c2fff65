import { BlobStore } from "../log/BlobStore.ts"
import type { WorkspaceId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { ApiFailure } from "@troupe/domain/api/ApiError"
import type { CompatEvent } from "@troupe/domain/api/Events"
import { Effect, Option } from "effect"

/** What one answer is filled up with. Beyond it, content is shown by its beginning and its hash. */
const filledBytesMax = 32 * 1_048_576

interface Elsewhere {
  readonly sha256: string
  readonly size_bytes: number
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const elsewhereOf = ({ troupe }: JsonObject): Elsewhere | null =>
  isObject(troupe) && typeof troupe["sha256"] === "string" ? (troupe as unknown as Elsewhere) : null

/** What was sent with a request has its room there already, and is kept by the time it is shown. */
const taken = (): Effect.Effect<void, ApiFailure> => Effect.void

/** Shows what clients sent as they sent it, also where its content is beside the log. */
export const showBlobs = Effect.fnUntraced(function* (
  workspaceId: WorkspaceId,
  events: ReadonlyArray<CompatEvent>,
  take: (bytes: number) => Effect.Effect<void, ApiFailure> = taken
) {
  const blobs = yield* BlobStore
  let left = filledBytesMax

  const bytesOf = Effect.fnUntraced(function* ({ sha256, size_bytes }: Elsewhere) {
    if (size_bytes > left) return null
    yield* take(size_bytes)
    const found = yield* Effect.option(blobs.get(workspaceId, sha256))
    const blob = Option.getOrNull(Option.flatten(found))
    if (blob !== null) left -= size_bytes
    return blob === null ? null : Buffer.from(blob.bytes)
  })

  const filled = Effect.fnUntraced(function* (part: JsonObject) {
    const elsewhere = elsewhereOf(part)
    const bytes = elsewhere === null ? null : yield* bytesOf(elsewhere)
    if (bytes === null) return part
    const { troupe: _, ...rest } = part
    if ("text" in rest) return { ...rest, text: bytes.toString() }
    return { ...rest, data: bytes.toString(rest["type"] === "base64" ? "base64" : "utf8") }
  })

  const shown = Effect.fnUntraced(function* (block: Json) {
    if (!isObject(block)) return block
    const { source } = block
    return isObject(source) ? { ...block, source: yield* filled(source) } : yield* filled(block)
  })

  return yield* Effect.forEach(events, (event) => {
    const { content, type } = event
    if (!type.startsWith("user.") || !Array.isArray(content)) return Effect.succeed(event)
    return Effect.map(Effect.forEach(content as ReadonlyArray<Json>, shown), (whole): CompatEvent => ({
      ...event,
      content: whole as Json
    }))
  })
})
