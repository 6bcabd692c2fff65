import type { BlobRef } from "@troupe/domain/session/Content"
import { Effect } from "effect"
import { type BlobClient, bytesMax } from "../link/BlobClient.ts"
import type { Scrubber } from "../secrets/Scrubber.ts"
import type { AttemptFrames } from "./AttemptFrames.ts"

const mediaType = "application/json"

export interface KeepOptions {
  readonly blobs: BlobClient["Service"]
  readonly ticket: string
  readonly scrubber: Scrubber
  readonly frames: AttemptFrames
}

/**
 * Keeps values beside the log, without the attempt's secrets, for as long as an event names them. One that can't be kept is
 * missed, which people are told once, and nothing waits for it any longer than for an answer.
 */
export const keepBeside = ({ blobs, frames, scrubber, ticket }: KeepOptions): NonNullable<AttemptFrames["keep"]> => {
  let isTold = false
  const missed = Effect.fnUntraced(function* (detail: string) {
    if (isTold) return null
    isTold = true
    const message = `What models are sent and answer can't be kept: ${detail}`
    const event = { _tag: "PlatformNoted", code: "model_request_not_kept", message, details: {} } as const
    yield* frames.emit({ _tag: "Noted", event })
    return null
  })
  return Effect.fnUntraced(function* (value) {
    const bytes = Buffer.from(scrubber.text(JSON.stringify(value)))
    if (bytes.length > bytesMax) return yield* missed(`${bytes.length} bytes are more than ${bytesMax}`)
    return yield* blobs.put(ticket, bytes).pipe(
      Effect.map((sha256): BlobRef => ({
        sha256: sha256 as BlobRef["sha256"],
        bytes: bytes.length,
        mediaType,
        preview: ""
      })),
      Effect.catch(({ message }) => missed(message))
    )
  })
}
