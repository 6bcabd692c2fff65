import type { SessionVerification } from "@troupe/domain/api/Replay"
import type { SessionId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { ChainCheck } from "@troupe/domain/replay/ChainCheck"
import { verifyDecisions } from "@troupe/domain/replay/Decisions"
import { decodeAll } from "@troupe/domain/replay/Fold"
import { verifyProjection } from "@troupe/domain/replay/Projection"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { Effect, Option, Result, Stream } from "effect"
import { EventStore, type Head } from "../log/EventStore.ts"
import { sha256 } from "../log/sha256.ts"
import { acceptedOf, answeredCommands, rejectedOf } from "./answeredCommands.ts"
import { Folds } from "./Folds.ts"

/** A finding names what it is by `type`, as everything in the API does. */
const findingOut = ({ _tag, ...rest }: { readonly _tag: string }): JsonObject => ({
  type: _tag,
  ...(JSON.parse(JSON.stringify(rest)) as JsonObject)
})

/** Decides every command again and folds the log again: all of it is in memory meanwhile. */
const replayed = Effect.fnUntraced(function* (sessionId: SessionId, rows: ReadonlyArray<Recorded>) {
  const store = yield* EventStore
  const answered = yield* Stream.runCollect(answeredCommands(sessionId, rows.length))
  const accepted = answered.flatMap((one) => acceptedOf(one) ?? [])
  const rejected = answered.flatMap((one) => rejectedOf(one) ?? [])
  const decided = verifyDecisions(rows, { accepted, rejected }, { sha256 })
  if (Result.isFailure(decided)) return { decisions: null, projection: null, unreadable: decided.failure.message }
  const events = yield* Effect.orDie(Effect.fromResult(decodeAll(rows)))
  const stored = yield* store.snapshot(sessionId, foldVersion)
  const snapshot = Option.match(stored, {
    onNone: () => null,
    // One that was made since says what lies beyond the rows.
    onSome: (one) => (one.version > rows.length ? null : { ...one, foldVersion })
  })
  const projection = verifyProjection(events, { snapshot })
  const { accepted: took, found, ok, redacted, rejected: refused } = decided.success
  return {
    decisions: {
      ok,
      accepted: took,
      rejected: refused,
      redacted,
      found,
      findings: decided.success.findings.map(findingOut)
    },
    projection: { ok: projection.ok, findings: projection.findings.map(findingOut) },
    unreadable: null
  }
})

const chainOf = (check: ChainCheck, head: Head): SessionVerification["chain"] => {
  const { checked, findings, found, ok, redacted } = check.report(head)
  return { ok, checked, redacted, found, findings: findings.map(findingOut) }
}

/** Says whether a session's log is as it was written and, on the next level, whether it is what its commands lead to. */
export const verifySession = Effect.fn("verifySession")(function* (sessionId: SessionId, level: 0 | 1) {
  const folds = yield* Folds
  const head = yield* folds.head(sessionId)
  const check = new ChainCheck({ sha256, of: head })
  const rows: Array<Recorded> = []
  yield* folds.each(sessionId, head.version, (page) => {
    for (const row of page) check.push(row)
    if (level === 1) rows.push(...page)
  })
  const chain = chainOf(check, head)
  const more = level === 1 ? yield* replayed(sessionId, rows) : { decisions: null, projection: null, unreadable: null }
  const ok = chain.ok && more.decisions?.ok !== false && more.projection?.ok !== false && more.unreadable === null
  return {
    type: "session_verification",
    session_id: sessionId,
    level,
    ok,
    version: head.version,
    head: head.chain,
    chain,
    ...more
  } satisfies SessionVerification
})
