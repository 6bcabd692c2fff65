import type { SessionId } from "@troupe/domain/Ids"
import { Effect, Option } from "effect"
import type { EventStore, Head, StoreUnavailable } from "../log/EventStore.ts"
import { activate, type Activation } from "./activate.ts"
import { SessionMoved, type SessionUnreadable } from "./SessionErrors.ts"

export interface OwnershipOptions {
  readonly store: EventStore["Service"]
  readonly sessionId: SessionId
  /** Called with what a new activation found, before anything is done with it. */
  readonly activated: (activation: Activation) => void
  /** Somebody newer owns the session. */
  readonly lost: () => void
}

export interface Ownership {
  readonly active: () => Activation | null
  /** How often the session was lost to somebody else: work of our own that began before a loss ends with it. */
  readonly losses: () => number
  /** What was folded last, kept when an activation is dropped: the next one reads only what came after. */
  readonly folded: () => Activation | null
  readonly become: (next: Activation) => Activation
  /** A write may or may not have happened: the next activation takes a new epoch, which ends the doubt. */
  readonly doubt: () => void
  /** Somebody newer owns the session. Only those who are sent here from outside make it ours again. */
  readonly lose: () => void
  /** A snapshot of what was folded is saved up to this version. */
  readonly snapshotted: (version: number) => void
  /** The log is not what was folded: the next activation reads all of it. */
  readonly refold: () => void
  /**
   * The activation, made if need be. `routed`: a client or the waker came here, so the cluster holds this node for the
   * owner. Work of our own goes on only as long as nobody else has taken an epoch.
   */
  readonly ensure: (routed: boolean) => Effect.Effect<Activation, StoreUnavailable | SessionUnreadable | SessionMoved>
  /** Asks the store whether the activation stands. One that was overtaken for a moment would wait for ever. */
  readonly check: Effect.Effect<void, StoreUnavailable>
}

export const make = ({ activated, lost, sessionId, store }: OwnershipOptions): Ownership => {
  let active: Activation | null = null
  let folded: Activation | null = null
  let epoch = 0
  /** Epochs asked for since, whose answers never came: they are ours too, if they were given. */
  let unanswered = 0
  let overtaken = false
  let losses = 0
  let unreadable: SessionUnreadable | null = null

  const become: Ownership["become"] = (next) => {
    // What does not exist yet may be opened anywhere: it is looked for again each time.
    active = next.epoch === 0 ? null : next
    folded = active
    epoch = next.epoch
    unanswered = 0
    overtaken = false
    return next
  }

  const doubt = () => {
    active = null
  }

  const lose = () => {
    active = null
    overtaken = true
    losses++
    lost()
  }

  const stands = (head: Option.Option<Head>) =>
    Option.isNone(head) ? epoch === 0 : head.value.epoch <= epoch + unanswered

  const activateNow = Effect.suspend(() => {
    unanswered++
    return activate(store, sessionId, folded)
  }).pipe(
    Effect.map(become),
    Effect.tap((activation) => Effect.sync(() => activated(activation))),
    // What can't be read now can't be read later by this release either.
    Effect.tapErrorTag("SessionUnreadable", (error) =>
      Effect.sync(() => {
        unreadable = error
      })
    )
  )

  const ensure: Ownership["ensure"] = (routed) =>
    Effect.suspend((): Effect.Effect<Activation, StoreUnavailable | SessionUnreadable | SessionMoved> => {
      if (unreadable !== null) return Effect.fail(unreadable)
      if (active !== null) return Effect.succeed(active)
      return Effect.gen(function* () {
        if (epoch > 0 && !overtaken && !stands(yield* store.head(sessionId))) lose()
        if (overtaken && !routed) return yield* new SessionMoved({ sessionId })
        return yield* activateNow
      })
    })

  const check = Effect.suspend(() => {
    if (active === null) return Effect.void
    return Effect.map(store.head(sessionId), (head) => {
      if (!stands(head)) lose()
    })
  })

  return {
    active: () => active,
    losses: () => losses,
    folded: () => folded,
    become,
    doubt,
    lose,
    snapshotted: (version) => {
      if (folded === null || folded.version < version) return
      const next = { ...folded, snapshotVersion: version }
      if (active === folded) active = next
      folded = next
    },
    refold: () => {
      active = null
      folded = null
    },
    ensure,
    check
  }
}
