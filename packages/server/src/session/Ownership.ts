import type { SessionId } from "@troupe/domain/Ids"
import type { Sha256 } from "@troupe/domain/log/Chain"
import type { SessionCodec } from "@troupe/domain/session/Codec"
import { Effect, Option } from "effect"
import type { EventStore, Head, StoreUnavailable } from "../log/EventStore.ts"
import { activate, type Activation } from "./activate.ts"
import { SessionMoved, type SessionUnreadable } from "./SessionErrors.ts"

export interface OwnershipOptions {
  readonly store: EventStore["Service"]
  readonly codec: SessionCodec
  readonly sha256: Sha256
  readonly sessionId: SessionId
  /** Called with what a new activation found, before anything is done with it. */
  readonly activated: (activation: Activation) => void
  /** Somebody newer owns the session. */
  readonly lost: () => void
}

/** What a session folds to on this node, and whether this node may write it. */
export class Ownership {
  private current: Activation | null = null
  private known: Activation | null = null
  private epoch = 0
  /** Epochs asked for since, whose answers never came: they are ours too, if they were given. */
  private unanswered = 0
  private overtaken = false
  private lossesYet = 0
  private unreadable: SessionUnreadable | null = null
  private readonly options: OwnershipOptions

  constructor(options: OwnershipOptions) {
    this.options = options
  }

  get active(): Activation | null {
    return this.current
  }

  /** What was folded last, kept when an activation is dropped: the next one reads only what came after. */
  get folded(): Activation | null {
    return this.known
  }

  /** How often the session was lost to somebody else: work of our own that began before a loss ends with it. */
  get losses(): number {
    return this.lossesYet
  }

  become(next: Activation): Activation {
    // What does not exist yet may be opened anywhere: it is looked for again each time.
    this.current = next.epoch === 0 ? null : next
    this.known = this.current
    this.epoch = next.epoch
    this.unanswered = 0
    this.overtaken = false
    return next
  }

  /** A write may or may not have happened: the next activation takes a new epoch, which ends the doubt. */
  doubt(): void {
    this.current = null
  }

  /** Somebody newer owns the session. Only those who are sent here from outside make it ours again. */
  lose(): void {
    this.current = null
    this.overtaken = true
    this.lossesYet++
    this.options.lost()
  }

  /** A snapshot of what was folded is saved up to this version. */
  snapshotted(version: number): void {
    const { known } = this
    if (known === null || known.version < version) return
    const next = { ...known, snapshotVersion: version }
    if (this.current === known) this.current = next
    this.known = next
  }

  /** The log is not what was folded: the next activation reads all of it. */
  refold(): void {
    this.current = null
    this.known = null
  }

  /**
   * The activation, made if need be. `routed`: a client or the waker came here, so the cluster holds this node for the
   * owner. Work of our own goes on only as long as nobody else has taken an epoch.
   */
  ensure(routed: boolean): Effect.Effect<Activation, StoreUnavailable | SessionUnreadable | SessionMoved> {
    return Effect.suspend((): Effect.Effect<Activation, StoreUnavailable | SessionUnreadable | SessionMoved> => {
      if (this.unreadable !== null) return Effect.fail(this.unreadable)
      return this.current === null ? this.take(routed) : Effect.succeed(this.current)
    })
  }

  /** Asks the store whether the activation stands. One that was overtaken for a moment would wait for ever. */
  check(): Effect.Effect<void, StoreUnavailable> {
    return Effect.suspend(() => {
      if (this.current === null) return Effect.void
      return Effect.map(this.options.store.head(this.options.sessionId), (head) => {
        if (!this.stands(head)) this.lose()
      })
    })
  }

  private stands(head: Option.Option<Head>): boolean {
    return Option.isNone(head) ? this.epoch === 0 : head.value.epoch <= this.epoch + this.unanswered
  }

  private take(routed: boolean) {
    const { activated, codec, sessionId, sha256, store } = this.options
    return Effect.gen({ self: this }, function* () {
      if (this.epoch > 0 && !this.overtaken && !this.stands(yield* store.head(sessionId))) this.lose()
      if (this.overtaken && !routed) return yield* new SessionMoved({ sessionId })
      this.unanswered++
      const found = yield* Effect.tapErrorTag(
        activate({ codec, sha256, store }, sessionId, this.known),
        "SessionUnreadable",
        (error) =>
          Effect.sync(() => {
            // What can't be read now can't be read later by this release either.
            this.unreadable = error
          })
      )
      const activation = this.become(found)
      activated(activation)
      return activation
    })
  }
}
