import type { SessionId } from "@troupe/domain/Ids"
import { genesis } from "@troupe/domain/log/Chain"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { foldVersion, initial, type SessionState } from "@troupe/domain/session/SessionState"
import { Effect, Option, Result } from "effect"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { EventStore } from "../log/EventStore.ts"
import type { Standing } from "./planBatch.ts"
import { SessionUnreadable } from "./SessionErrors.ts"

/** A session in memory: what it folds to, and the epoch under which this activation may write. */
export interface Activation extends Standing {
  /** 0 until the session exists: opening it takes the first epoch. */
  readonly epoch: number
  readonly summary: SummaryRow | null
  readonly snapshotVersion: number
}

const pageSize = 2_000

const unopened: Activation = {
  state: initial,
  version: 0,
  chain: genesis,
  lastRecordedAt: 0,
  epoch: 0,
  summary: null,
  snapshotVersion: 0
}

const parseState = (text: string): SessionState | undefined => {
  try {
    return JSON.parse(text) as SessionState
  } catch {
    return undefined
  }
}

/**
 * Takes the next epoch, then folds what the log holds: from the newest snapshot, or from what an earlier activation on
 * this node had folded already. The epoch comes first: after it, nobody else can add to what is read.
 */
export const activate = Effect.fnUntraced(function* (
  store: EventStore["Service"],
  sessionId: SessionId,
  known: Activation | null
) {
  const afresh = known === null || known.version === 0
  // Any snapshot of a shorter log will do, so looking for one need not wait for the claim.
  const [claimed, snapshot] = yield* Effect.all(
    [store.claim(sessionId), afresh ? store.snapshot(sessionId, foldVersion) : Effect.succeedNone],
    { concurrency: "unbounded" }
  )
  if (Option.isNone(claimed)) return unopened
  const head = claimed.value
  let { snapshotVersion, state, version } = known ?? unopened
  if (afresh) {
    const parsed = Option.isSome(snapshot) ? parseState(snapshot.value.state) : undefined
    if (parsed !== undefined && Option.isSome(snapshot) && snapshot.value.version <= head.version) {
      state = parsed
      version = snapshot.value.version
      snapshotVersion = version
    }
  }
  while (version < head.version) {
    const page = yield* store.readToFold(sessionId, { after: version, limit: pageSize })
    for (const recorded of page) {
      const unreadable = (reason: string, detail: string) =>
        new SessionUnreadable({ sessionId, seq: version + 1, reason, detail })
      if (recorded.seq !== version + 1) return yield* unreadable("Hole", `event ${recorded.seq} follows`)
      const event = Codec.decodeFast(recorded)
      if (Result.isFailure(event)) return yield* unreadable(event.failure.reason._tag, event.failure.message)
      try {
        state = evolve(state, event.success)
      } catch (defect) {
        return yield* unreadable("Corrupt", defect instanceof Error ? defect.message : String(defect))
      }
      version = recorded.seq
    }
    if (page.length === 0) {
      return yield* new SessionUnreadable({ sessionId, seq: version + 1, reason: "Hole", detail: "the log ends here" })
    }
  }
  return {
    state,
    version,
    chain: head.chain,
    lastRecordedAt: head.lastRecordedAt,
    epoch: head.epoch,
    summary: null,
    snapshotVersion
  } satisfies Activation
})
