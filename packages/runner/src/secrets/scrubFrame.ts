import { FrameBody } from "@troupe/domain/session/Frame"
import { Schema } from "effect"
import type { Scrubber } from "./Scrubber.ts"

const isFrameBody = Schema.is(FrameBody)

/** Fields whose values are words of the protocol. */
export const protocolWords: ReadonlySet<string> = new Set([
  "_tag",
  "type",
  "outcome",
  "source",
  "executor",
  "awaits",
  "permission",
  "retryStatus",
  "stop",
  "requestId",
  "callId",
  "blockId",
  "subagentId",
  "parentId",
  "inputId",
  "inputDigest",
  "sandboxId",
  "sha256"
])

/**
 * A frame without secrets. A secret that is a word of the protocol, as `failed` would be, is left where that word has to
 * be: a frame that nobody can read would end the attempt.
 */
export const scrubFrame = (scrubber: Scrubber, body: FrameBody): FrameBody => {
  const whole = scrubber.value(body)
  return whole === body || isFrameBody(whole) ? whole : scrubber.value(body, protocolWords)
}
