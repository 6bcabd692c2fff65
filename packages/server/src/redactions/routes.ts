import { invalid } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Redactions"
import type { SessionId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import { Clock, Effect } from "effect"
import { route } from "../gateway/Route.ts"
import { Folds } from "../replay/Folds.ts"
import { command, stateOf } from "../sessions/SessionCalls.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { namedEvents } from "./namedEvents.ts"

/** How long an answer waits for the content to be gone. It goes all the same, however long that takes. */
const waitMs = 5_000
const lookEveryMs = 50

/** Whether nothing is to be taken out any more, as soon as that is so. What carries the same content goes along. */
const applied = Effect.fnUntraced(function* (id: SessionId) {
  const until = (yield* Clock.currentTimeMillis) + waitMs
  while ((yield* stateOf(id)).redactions.length > 0) {
    if ((yield* Clock.currentTimeMillis) >= until) return false
    yield* Effect.sleep(lookEveryMs)
  }
  return true
})

export const routes = route(Api.redact, "admin", ({ caller, params, payload }) =>
  Effect.gen(function* () {
    const reads = yield* SessionReads
    const { session } = yield* reads.find(caller.workspaceId, params.id)
    const { inTurn } = yield* Folds
    const found = yield* inTurn(namedEvents(session.id, payload.events)).pipe(
      Effect.catchTag("StoreUnavailable", (error) => Effect.die(error))
    )
    const { forks, redactions } = yield* stateOf(session.id)
    // Those that were asked for before go without being asked for again.
    const fresh = found.flatMap(({ replacement, seq }) =>
      replacement === null || redactions.includes(seq) ? [] : [{ seq, replacement }]
    )
    if (fresh.length > Limits.redactedAtOnceMax) {
      return yield* invalid(`events: the log has more than ${Limits.redactedAtOnceMax} of them`)
    }
    const seqs = found.map(({ seq }) => seq)
    if (fresh.length > 0) {
      yield* command(session.id, {
        _tag: "RequestRedaction",
        seqs: fresh.map(({ seq }) => seq),
        replacements: fresh.map(({ replacement }) => replacement),
        reason: payload.reason
      })
    }
    const first = Math.min(...seqs)
    return {
      type: "session_redaction" as const,
      session_id: session.id,
      seqs,
      applied: yield* applied(session.id),
      forks: [...new Set(forks.flatMap(({ childId, seq }) => (seq >= first ? [childId] : [])))]
    }
  })
)
