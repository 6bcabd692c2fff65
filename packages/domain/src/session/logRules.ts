import type { EventId } from "../Ids.ts"
import type { Refusal, SessionCommand } from "./SessionCommand.ts"

/** What a decision needs to know of the log that the state, being small, does not hold. */
export interface KnownLog {
  readonly version: number
  /** Whether an input with this id was taken before. */
  readonly hasInput: (inputId: string) => boolean
}

/** The ids of what a command sends into its session: each is taken once, for ever. */
export const inputIds = (body: SessionCommand): ReadonlyArray<EventId> => {
  switch (body._tag) {
    case "Open":
    case "Send":
      return body.inputs.map(({ inputId }) => inputId)
    case "MessageThread":
      return [body.messageId]
    default:
      return []
  }
}

const seqs = (body: SessionCommand): ReadonlyArray<number> =>
  body._tag === "RequestRedaction" ? body.seqs : body._tag === "NoteFork" ? [body.seq] : []

/** Why the log refuses a command that the state would accept, if it does. */
export const refusedByLog = (body: SessionCommand, log: KnownLog): Refusal | undefined => {
  const seq = seqs(body).find((one) => one > log.version)
  if (seq !== undefined) return { _tag: "UnknownSeq", seq }
  const id = inputIds(body).find(log.hasInput)
  return id === undefined ? undefined : { _tag: "IdTaken", id }
}
