import type { EventId } from "@troupe/domain/Ids"
import { Cause, Clock, Effect, Exit, Result } from "effect"
import type { AttemptFrames, JournalFull } from "../attempt/AttemptFrames.ts"
import { mintEventId } from "../mint.ts"
import { subagentSpan } from "../telemetry/spans.ts"

/** What people read here of a task and of a result: whole they are with the call. */
const wordsMax = 4_000

const shortened = (words: string): string =>
  words.length <= wordsMax ? words : `${words.slice(0, wordsMax).toWellFormed()} …`

interface Subagent {
  readonly name: string
  readonly task: string
  /** The call that it works for. */
  readonly callId: EventId | null
  /** The sub-agent that has it work; absent where the thread's own agent does. */
  readonly parentId?: EventId
}

type Ended = { readonly outcome: "succeeded" | "failed" | "interrupted"; readonly summary: string | null }

const endOf = (exit: Exit.Exit<string, { readonly message: string }>): Ended => {
  if (Exit.isSuccess(exit)) return { outcome: "succeeded", summary: shortened(exit.value) }
  if (Cause.hasInterruptsOnly(exit.cause)) return { outcome: "interrupted", summary: null }
  const why = Cause.findError(exit.cause)
  return { outcome: "failed", summary: Result.isSuccess(why) ? shortened(why.success.message) : null }
}

/** The same frames, in which requests to models are the sub-agent's; what says whose it is stays so. */
const framesOf = (frames: AttemptFrames, subagentId: EventId): AttemptFrames => {
  const own = (body: Parameters<AttemptFrames["emit"]>[0]) =>
    body._tag === "ModelRequestStarted" && body.subagentId === undefined ? { ...body, subagentId } : body
  return { ...frames, emit: (body) => frames.emit(own(body)), say: (body) => frames.say(own(body)) }
}

/**
 * Has a sub-agent work, and tells people of it: what it was asked, which requests to models are its own, and how it ended,
 * however that came about. What it hands back is for whoever had it work.
 */
export const subagent = <E extends { readonly message: string }>(
  frames: AttemptFrames,
  { callId, name, parentId, task }: Subagent,
  work: (frames: AttemptFrames, subagentId: EventId) => Effect.Effect<string, E>
): Effect.Effect<string, E | JournalFull> =>
  Effect.acquireUseRelease(
    Effect.gen(function* () {
      const subagentId = yield* mintEventId
      const startedAt = yield* Clock.currentTimeMillis
      const started = { name, task: shortened(task), callId, parentId: parentId ?? null }
      yield* frames.say({ _tag: "SubagentStarted", subagentId, ...started })
      return { subagentId, startedAt }
    }),
    ({ subagentId }) => subagentSpan(name)(work(framesOf(frames, subagentId), subagentId)),
    ({ startedAt, subagentId }, exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        frames.say({ _tag: "SubagentEnded", subagentId, ...endOf(exit), durationMs: now - startedAt })
      )
  )
