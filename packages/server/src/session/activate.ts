import type { SessionId } from "@troupe/domain/Ids"
import { genesis } from "@troupe/domain/log/Chain"
import type { Stored } from "@troupe/domain/log/EventCodec"
import type { SessionCodec } from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { foldVersion, initial, type SessionState } from "@troupe/domain/session/SessionState"
import { Effect, Fiber, Option, Result } from "effect"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { EventStore, Snapshot } from "../log/EventStore.ts"
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

/** Where folding begins at a snapshot; undefined where that can't be read. */
const restored = (snapshot: Option.Option<Snapshot>): Activation | undefined => {
  if (Option.isNone(snapshot)) return unopened
  const { state, version } = snapshot.value
  const parsed = parseState(state)
  return parsed === undefined ? undefined : { ...unopened, state: parsed, version, snapshotVersion: version }
}

/** Folds the events of a page onto what was folded before them. */
const foldPage = Effect.fnUntraced(function* (
  codec: SessionCodec,
  sessionId: SessionId,
  before: Pick<Activation, "state" | "version">,
  page: ReadonlyArray<Stored>
) {
  let { state, version } = before
  for (const stored of page) {
    const unreadable = (reason: string, detail: string) =>
      new SessionUnreadable({ sessionId, seq: version + 1, reason, detail })
    if (stored.seq !== version + 1) return yield* unreadable("Hole", `event ${stored.seq} follows`)
    const event = codec.decodeFast(stored)
    if (Result.isFailure(event)) return yield* unreadable(event.failure.reason._tag, event.failure.message)
    try {
      state = evolve(state, event.success)
    } catch (defect) {
      return yield* unreadable("Corrupt", defect instanceof Error ? defect.message : String(defect))
    }
    version = stored.seq
  }
  return { state, version }
})

/**
 * Takes the next epoch, and folds what the log holds. Once the epoch is taken nobody else can add to the log, and what is
 * in it stays as it is; so the first page need not wait for the epoch, and the next one is read while one is folded.
 */
export const activate = Effect.fnUntraced(function* (
  { codec, store }: { readonly codec: SessionCodec; readonly store: EventStore["Service"] },
  sessionId: SessionId,
  known: Activation | null
) {
  const pageAfter = (after: number) => store.readToFold(sessionId, { after, limit: pageSize })
  /** The newest snapshot and the first page after it, or what an earlier activation on this node had folded already. */
  const early = Effect.gen(function* () {
    if (known !== null && known.version > 0) return { from: known, events: null }
    const { events, snapshot } = yield* store.restore(sessionId, { foldVersion, limit: pageSize })
    const from = restored(snapshot)
    return from === undefined ? { from: unopened, events: null } : { from, events }
  })
  const [claimed, { events, from }] = yield* Effect.all([store.claim(sessionId), early], {
    concurrency: "unbounded"
  })
  if (Option.isNone(claimed)) return unopened
  const head = claimed.value
  // A snapshot that is ahead of its log is none of it.
  const base = from.version <= head.version ? from : unopened
  const first = base === from ? events : null
  let folded: Pick<Activation, "state" | "version"> = base
  // A page read early may end before the last events that came, which is no hole.
  let settled = first === null
  let page = first ?? (folded.version < head.version ? yield* pageAfter(folded.version) : [])
  while (folded.version < head.version) {
    if (page.length === 0 && settled) {
      const seq = folded.version + 1
      return yield* new SessionUnreadable({ sessionId, seq, reason: "Hole", detail: "the log ends here" })
    }
    const after = folded.version + page.length
    const next = after < head.version ? yield* Effect.forkChild(pageAfter(after), { startImmediately: true }) : null
    folded = yield* foldPage(codec, sessionId, folded, page)
    settled = true
    if (next !== null) page = yield* Fiber.join(next)
  }
  return {
    ...base,
    ...folded,
    chain: head.chain,
    lastRecordedAt: head.lastRecordedAt,
    epoch: head.epoch,
    summary: null
  } satisfies Activation
})
