import { notFound } from "@troupe/domain/api/ApiError"
import type { SessionId } from "@troupe/domain/Ids"
import type { Recorded } from "@troupe/domain/log/Envelope"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Result } from "effect"
import { hash } from "node:crypto"
import { Folds } from "../replay/Folds.ts"
import { blanked } from "../session/blanked.ts"

/** An event that has content, and the digest of what is to stand in its place; null where the content is gone already. */
export interface Named {
  readonly seq: number
  readonly replacement: string | null
}

/** By these, events say of which message, answer, call or sub-agent they are. */
const names = ["inputId", "messageId", "blockId", "callId", "subagentId"] as const

const idsOf = (recorded: Recorded): ReadonlyArray<string> => {
  const event = Codec.decodeFast(recorded)
  if (Result.isFailure(event)) return [recorded.eventId]
  const fields = event.success as unknown as Readonly<Record<string, unknown>>
  return [recorded.eventId, ...names.flatMap((name) => (typeof fields[name] === "string" ? [fields[name]] : []))]
}

const namedOf = (recorded: Recorded): ReadonlyArray<Named> => {
  const { payload, salt, seq } = recorded
  if (salt === null || payload === null) return [{ seq, replacement: null }]
  const blank = blanked(recorded)
  return blank === payload ? [] : [{ seq, replacement: hash("sha256", blank, "hex") }]
}

/** The events of a log that go by some ids, and have content or had some. */
export const namedEvents = Effect.fn("namedEvents")(function* (sessionId: SessionId, ids: ReadonlyArray<string>) {
  const folds = yield* Folds
  const { version } = yield* folds.head(sessionId)
  const wanted = new Set(ids)
  const known = new Set<string>()
  const found: Array<Named> = []
  yield* folds.each(sessionId, version, (page) => {
    for (const recorded of page) {
      const asked = idsOf(recorded).filter((id) => wanted.has(id))
      for (const id of asked) known.add(id)
      if (asked.length > 0) found.push(...namedOf(recorded))
    }
  })
  const unknown = ids.find((id) => !known.has(id))
  return unknown === undefined ? found : yield* notFound(`Event ${unknown} was not found.`)
})
