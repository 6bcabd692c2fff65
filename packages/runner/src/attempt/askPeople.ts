import { canonical } from "@troupe/domain/CanonicalJson"
import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Question } from "@troupe/domain/session/Question"
import { Clock, Effect, Option } from "effect"
import { hash } from "node:crypto"
import { mintEventId } from "../mint.ts"
import type { Answers } from "./Answers.ts"
import type { AttemptFrames } from "./AttemptFrames.ts"

export interface PeopleQuestion {
  /** The call that runs and asks. */
  readonly within: EventId
  /** The MCP server that wants to know. */
  readonly server: string
  readonly question: Question
  readonly expiresInMs: number
}

/** The log says when a question has expired. It is heard of here this much later, and never before an answer in time. */
const graceMs = 2_000

/**
 * Asks people something while a call runs: what they answer in time, or none. The question is in the log, so that it can be
 * answered from anywhere and through restarts of nodes; it ends with its call.
 */
export const askPeople =
  (frames: AttemptFrames, answers: Answers) =>
  ({ expiresInMs, question, server, within }: PeopleQuestion): Effect.Effect<Option.Option<Json>> =>
    Effect.gen(function* () {
      const callId = yield* mintEventId
      const input = { ...question }
      const expiresAt = (yield* Clock.currentTimeMillis) + expiresInMs
      const ask = frames.emit({
        _tag: "ToolRequested",
        callId,
        requestId: null,
        providerCallId: callId,
        name: "ask_user",
        server,
        executor: "platform",
        input,
        inputDigest: hash("sha256", canonical(input), "hex"),
        readOnly: true,
        idempotent: true,
        verdict: { permission: "allow", rule: "mcp.elicitation", reason: null },
        awaits: "answer",
        question: input,
        expiresAt,
        within
      })
      return yield* answers.listen(callId, (answer) =>
        Effect.andThen(ask, Effect.timeoutOption(answer, expiresInMs + graceMs))
      )
    }).pipe(
      // A full journal ends the attempt, and the call with it, at its next word.
      Effect.catchTag("JournalFull", () => Effect.succeedNone)
    )
