import type { SessionId } from "@troupe/domain/Ids"
import { type Command, CommandRejected } from "@troupe/domain/session/SessionCommand"
import { Effect, Exit, Latch, Layer, Scope, Stream } from "effect"
import { hash } from "node:crypto"
import { EventStore } from "../../../src/log/EventStore.ts"
import { Minting } from "../../../src/log/Minting.ts"
import { AttemptDriver } from "../../../src/session/AttemptDriver.ts"
import { CrashPoints, type CrashPoint } from "../../../src/session/CrashPoints.ts"
import { Feeds, type Fed } from "../../../src/session/Feeds.ts"
import * as Reactor from "../../../src/session/Reactor.ts"
import { RedactionApplier } from "../../../src/session/RedactionApplier.ts"
import * as SessionActor from "../../../src/session/SessionActor.ts"
import type { Depth } from "./Depth.ts"

export const sha256 = (text: string) => hash("sha256", text, "hex")

/** Thrown where a host dies: nothing that it would have done after this is done. */
export class Crash extends Error {}

export interface HostOptions {
  readonly sessionId: SessionId
  readonly store: EventStore["Service"]
  readonly driver: AttemptDriver["Service"]
  readonly minting: Minting["Service"]
  readonly publish: (sessionId: string, fed: Fed) => void
  readonly depth: Depth
}

/** A node's hands on one session: what it does reaches the world only while it lives and runs. */
export interface Host {
  readonly actor: SessionActor.SessionActor
  readonly isDead: () => boolean
  readonly freeze: () => void
  readonly thaw: () => void
  /** Dies at once, or where it comes to this point next. */
  readonly crash: (at: CrashPoint | "now" | "never") => void
  readonly close: Effect.Effect<void>
}

const lostAfterMs = 75_000
/** Small enough that some commands are too large, and that a mailbox fills up. */
const commandBytesMax = 8_000
const mailboxMax = 12

export const make = Effect.fnUntraced(function* (options: HostOptions) {
  const { depth, driver, sessionId, store } = options
  const scope = yield* Scope.make()
  let dead = false
  let crashAt: CrashPoint | null = null
  const running = Latch.makeUnsafe(true)

  const gate: Effect.Effect<void> = Effect.suspend(() => (dead ? Effect.never : running.await))
  const gated = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    gate.pipe(
      Effect.andThen(Effect.exit(effect)),
      Effect.tap(() => gate),
      Effect.flatten
    )
  const gatedStream = <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrap(Effect.as(gate, stream)).pipe(Stream.tap(() => gate))
  const gatedAll = <S extends object>(service: S): S =>
    Object.fromEntries(
      Object.entries(service).map(([name, method]) => [
        name,
        (...args: ReadonlyArray<unknown>) => {
          const result: unknown = method(...args)
          if (Effect.isEffect(result)) return gated(result)
          // What is answered at once passes no gate: whoever asks stands behind one already.
          return Stream.isStream(result) ? gatedStream(result) : result
        }
      ])
    ) as S

  const reach = (point: CrashPoint) => {
    depth.add("point reached", point)
    if (dead) throw new Crash()
    if (crashAt !== point) return
    depth.add("crash", point)
    dead = true
    throw new Crash()
  }

  const seen: EventStore["Service"] = {
    ...store,
    restore: (streamId, options) =>
      Effect.tap(store.restore(streamId, options), ({ snapshot }) =>
        Effect.sync(() => snapshot._tag === "Some" && depth.add("owner", "started from a snapshot"))
      )
  }

  const services = Layer.mergeAll(
    Layer.succeed(EventStore, EventStore.of(gatedAll(seen))),
    Layer.succeed(Minting, options.minting),
    Layer.succeed(AttemptDriver, AttemptDriver.of(gatedAll(driver))),
    Layer.succeed(Feeds, Feeds.of({ id: "host", publish: options.publish, listen: () => Effect.never })),
    Layer.succeed(CrashPoints, { reach }),
    Layer.succeed(RedactionApplier, {
      apply: (_, seqs, report) =>
        Effect.andThen(gated(Effect.sleep(10)), Effect.ignore(report({ _tag: "ConfirmRedaction", seqs })))
    })
  )

  const actor = yield* Effect.gen(function* () {
    let reactor: Reactor.Reactor | null = null
    const made = yield* SessionActor.make({
      sessionId,
      shard: 1,
      sha256,
      commandBytesMax,
      mailboxMax,
      react: (activation) => reactor?.reconcile(activation),
      follow: (standing, from, facts) => reactor?.startAtOnce(standing, from, facts) ?? [],
      stop: () => {
        depth.add("owner", "stopped")
        reactor?.stop()
      }
    })
    const handle = (command: Command) =>
      made
        .handle(command)
        .pipe(
          Effect.tapError((error) =>
            Effect.sync(() =>
              depth.add("inner refusal", error instanceof CommandRejected ? error.reason._tag : error._tag)
            )
          )
        )
    reactor = yield* Reactor.make({
      sessionId,
      handle,
      overtaken: () => made.overtaken(),
      keep: () => undefined,
      lostAfterMs
    })
    return made
  }).pipe(Effect.provide(services), Effect.provideService(Scope.Scope, scope))

  return {
    actor,
    isDead: () => dead,
    freeze: () => running.closeUnsafe(),
    thaw: () => running.openUnsafe(),
    crash: (at) => {
      if (at === "now") dead = true
      crashAt = at === "now" || at === "never" ? null : at
    },
    close: Scope.close(scope, Exit.void)
  } satisfies Host as Host
})
