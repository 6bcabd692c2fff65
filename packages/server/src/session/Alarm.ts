import { nextDue } from "@troupe/domain/session/due"
import type { OpenSession } from "@troupe/domain/session/SessionState"
import { type Clock, Effect } from "effect"

export interface AlarmOptions {
  readonly clock: Clock.Clock
  /** Runs one effect at a time: the next one ends the one before it. */
  readonly run: (effect: Effect.Effect<void>) => void
  readonly sessionNow: () => OpenSession | undefined
  /** Lets the session see to what is due. */
  readonly wake: Effect.Effect<void>
  /** The moment has come. */
  readonly rang: () => void
}

export interface Alarm {
  /** Rings at the first moment at which something of the session falls due, or one of these others comes. */
  readonly set: (session: OpenSession, others: ReadonlyArray<number>) => void
  readonly stop: () => void
  /** When it rings; null: never. */
  readonly at: () => number | null
}

const againMs = 1_000

/** Time falls due by itself: one sleep serves all of a session's timers, expiries and deadlines. */
export const make = ({ clock, rang, run, sessionNow, wake }: AlarmOptions): Alarm => {
  let alarmAt: number | null = null
  let wokenAt = -1
  const now = () => clock.currentTimeMillisUnsafe()

  const ring = Effect.fnUntraced(function* (at: number) {
    // What an earlier wake left due can't be helped by hurry.
    yield* Effect.sleep(Math.max(at - now(), at <= wokenAt ? againMs : 0))
    alarmAt = null
    const session = sessionNow()
    const due = session === undefined ? null : nextDue(session)
    if (due !== null && due <= now()) {
      wokenAt = now()
      yield* wake
    }
    rang()
  })

  const set: Alarm["set"] = (session, others) => {
    const next = Math.min(nextDue(session) ?? Infinity, ...others)
    if (next === (alarmAt ?? Infinity)) return
    alarmAt = next === Infinity ? null : next
    run(alarmAt === null ? Effect.void : ring(alarmAt))
  }

  const stop = () => {
    alarmAt = null
  }

  return { set, stop, at: () => alarmAt }
}
