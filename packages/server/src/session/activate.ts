import type { SessionId } from "@troupe/domain/Ids"
import { genesis, type Sha256 } from "@troupe/domain/log/Chain"
import { provenBy, type Committed } from "@troupe/domain/log/EventCodec"
import type { SessionCodec } from "@troupe/domain/session/Codec"
import { foldVersion, initial } from "@troupe/domain/session/SessionState"
import * as SessionSnapshot from "@troupe/domain/session/Snapshot"
import { Effect, Fiber, Option, Result } from "effect"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import type { EventStore, Snapshot } from "../log/EventStore.ts"
import type { Standing } from "./planBatch.ts"
import { foldOn, type ReadEvent } from "./reading.ts"
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

/** Where folding begins at a snapshot; undefined where that is not what was saved. */
const restored = (sha256: Sha256, snapshot: Option.Option<Snapshot>): Activation | undefined => {
  if (Option.isNone(snapshot)) return unopened
  const { state: stored, version } = snapshot.value
  const state = SessionSnapshot.read(sha256, version, stored)
  return state === undefined ? undefined : { ...unopened, state, version, snapshotVersion: version }
}

/** Folds the events of a page onto what was folded before them. */
const foldPage = Effect.fnUntraced(function* (
  read: ReadEvent,
  sessionId: SessionId,
  before: Pick<Activation, "state" | "version">,
  page: ReadonlyArray<Committed>
) {
  let { state, version } = before
  for (const stored of page) {
    const unreadable = (reason: string, detail: string) =>
      new SessionUnreadable({ sessionId, seq: version + 1, reason, detail })
    if (stored.seq !== version + 1) return yield* unreadable("Hole", `event ${stored.seq} follows`)
    const next = foldOn(state, stored, read(stored))
    if (Result.isFailure(next)) return yield* unreadable(next.failure.reason._tag, next.failure.message)
    state = next.success
    version = stored.seq
  }
  return { state, version }
})

/**
 * Takes the next epoch, and folds what the log holds. Once the epoch is taken nobody else can add to the log, and what is
 * in it stays as it is; so the first page need not wait for the epoch, and the next one is read while one is folded.
 */
export const activate = Effect.fnUntraced(function* (
  {
    codec,
    sha256,
    store
  }: { readonly codec: SessionCodec; readonly sha256: Sha256; readonly store: EventStore["Service"] },
  sessionId: SessionId,
  known: Activation | null
) {
  const read = provenBy(codec, sha256)
  const pageAfter = (after: number) => store.readToFold(sessionId, { after, limit: pageSize })
  /** The newest snapshot and the first page after it, or what an earlier activation on this node had folded already. */
  const early = Effect.gen(function* () {
    if (known !== null && known.version > 0) return { from: known, events: null }
    const { events, snapshot } = yield* store.restore(sessionId, { foldVersion, limit: pageSize })
    const from = restored(sha256, snapshot)
    if (from !== undefined) return { from, events }
    yield* Effect.logWarning(`The snapshot of ${sessionId} is not what was saved: its log is folded from the beginning`)
    return { from: unopened, events: null }
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
    folded = yield* foldPage(read, sessionId, folded, page)
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
