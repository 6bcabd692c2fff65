import type { SessionId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import * as History from "@troupe/domain/session/History"
import type { Origin } from "@troupe/domain/session/Opening"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { Effect, Result, Schema } from "effect"
import type { EventStore } from "../log/EventStore.ts"
import * as Checkpoint from "../runners/Checkpoint.ts"
import * as Setup from "../runners/Setup.ts"
import { foldOn, readEvent } from "./reading.ts"

/** There is no such place to fork from. */
export class NoForkPoint extends Schema.TaggedError<NoForkPoint>()("NoForkPoint", {
  sessionId: Schema.String,
  seq: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `${this.sessionId} can't be forked at ${this.seq}: ${this.detail}`
  }
}

/**
 * What a fork is opened with: where it left its parent, the chain there as proof, the last checkpoint of the working copy,
 * the conversation up to there, and what its parent worked with then.
 */
export interface ForkPoint {
  readonly origin: Extract<Origin, { readonly type: "fork" }>
  readonly history: ReadonlyArray<JsonObject>
  readonly setup: Setup.Setup | null
  readonly state: SessionState
}

const pageSize = 2_000

/**
 * Reads a session up to `seq` for a fork. The fork gets its own copy and never reads its parent again. Whoever opens it
 * notes it on the parent first (`NoteFork`), so that a redaction there knows every copy it must reach.
 */
export const forkPoint = Effect.fn("forkPoint")(function* (
  store: EventStore["Service"],
  sessionId: SessionId,
  seq: number
) {
  const nowhere = (detail: string) => new NoForkPoint({ sessionId, seq, detail })
  if (seq < 1) return yield* nowhere("the log begins at 1")
  let view = History.initial()
  let chain = ""
  let setup: Setup.Setup | null = null
  let copy = Checkpoint.initial
  let state: SessionState = initial
  for (let at = 0; at < seq;) {
    const page = yield* store.read(sessionId, { after: at, limit: Math.min(pageSize, seq - at) })
    if (page.length === 0) return yield* nowhere(`the log ends at ${at}`)
    for (const recorded of page) {
      const event = readEvent(recorded)
      if (Result.isFailure(event)) return yield* nowhere(event.failure.message)
      view = History.apply(view, { seq: recorded.seq, recordedAt: recorded.recordedAt, event: event.success })
      setup = Setup.apply(setup, event.success)
      copy = Checkpoint.apply(copy, recorded.seq, event.success)
      const next = foldOn(state, recorded, event)
      if (Result.isFailure(next)) return yield* nowhere(next.failure.message)
      state = next.success
      at = recorded.seq
      chain = recorded.chain
    }
  }
  const items = History.conversation(view)
  const left = copy.last === null ? {} : { checkpoint: { checkpoint: copy.last.checkpoint, lacks: copy.last.lacks } }
  return {
    origin: { type: "fork", sessionId, seq, chain, ...left },
    history: items as unknown as ReadonlyArray<JsonObject>,
    setup,
    state
  } satisfies ForkPoint
})
