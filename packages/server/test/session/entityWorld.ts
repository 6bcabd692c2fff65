import type { SessionId } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Clock, Effect, Layer, Result } from "effect"
import * as Sharding from "effect/cluster/Sharding"
import * as TestRunner from "effect/cluster/TestRunner"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import { TestClock } from "effect/testing"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../src/log/EventStoreMemory.ts"
import { Minting } from "../../src/log/Minting.ts"
import { Members } from "../../src/cluster/Membership.ts"
import { AttemptDriver } from "../../src/session/AttemptDriver.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import { LiveSessions } from "../../src/session/LiveSessions.ts"
import * as Reactor from "../../src/session/Reactor.ts"
import { RedactionApplier } from "../../src/session/RedactionApplier.ts"
import * as SessionEntity from "../../src/session/SessionEntity.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import { wakeDue } from "../../src/session/Waker.ts"
import type { Script } from "../support/AttemptScript.ts"
import { commandOf } from "../support/CommandGenerator.ts"
import * as FaultyStore from "../support/FaultyStore.ts"
import { mintId, prng } from "../../../../test/support/Prng.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"
import { evidence, Readers, recordClaims } from "./simulation/Chronicle.ts"
import { sha256 } from "./simulation/Host.ts"

export interface EntityWorldOptions {
  readonly seed: number
  readonly script: (attempt: number) => Script
  readonly idleMs?: number
  /** Whether it is certain at once who takes a turn; where it is not said, as often as not. */
  readonly placesAtOnce?: boolean
}

/** Whatever can happen without time passing happens. Messages between entities take their turns of the event loop. */
export const settled = Effect.repeat(
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  { times: 10 }
)

/** Sessions as entities of a cluster of one node, woken by its waker, on a store in memory. */
export const make = Effect.fnUntraced(function* (options: EntityWorldOptions) {
  const random = prng(options.seed)
  const clock = yield* Clock.Clock
  const memory = yield* EventStoreMemory.make
  const claiming = recordClaims(memory)
  const faults = FaultyStore.noFaults()
  const commits: Array<ReadonlyArray<string>> = []
  const noting: typeof claiming = {
    ...claiming,
    append: (append) =>
      Effect.tap(claiming.append(append), () => Effect.sync(() => commits.push(append.events.map(({ type }) => type))))
  }
  const store = FaultyStore.wrap(noting, random.fork(2), faults)
  const readers = new Readers()
  const scripts = new Map<string, Script>()
  const runner = yield* ScriptedRunner.make({
    random: random.fork(3),
    runnerId: ScriptedRunner.drawRunnerId(random),
    script: ({ attemptId }) => {
      const known = scripts.get(attemptId) ?? options.script(scripts.size)
      scripts.set(attemptId, known)
      return known
    }
  })
  const { placeAtOnce: _, ...asking } = runner.driver
  const atOnce: typeof runner.driver = {
    ...asking,
    placeAtOnce: () => ({ _tag: "Placed", runnerId: runner.runnerId, digests: ScriptedRunner.digests })
  }
  const { placesAtOnce } = options
  const driver = placesAtOnce === undefined ? runner.driver : placesAtOnce ? atOnce : AttemptDriver.of(asking)
  const bytes = random.fork(6)
  const services = Layer.mergeAll(
    Layer.succeed(EventStore, store),
    Layer.succeed(
      Minting,
      Minting.make((into) => bytes.bytes(into))
    ),
    Layer.succeed(AttemptDriver, driver),
    LiveSessions.layer,
    Layer.succeed(Members, { gone: Effect.never, joined: Effect.succeed(true) }),
    Layer.succeed(Feeds, Feeds.of({ id: "world", publish: readers.publish, listen: () => Effect.never })),
    Layer.succeed(RedactionApplier, {
      apply: (_, seqs, report) => Effect.ignore(report({ _tag: "ConfirmRedaction", seqs }))
    })
  )
  const entities = Sessions.layer().pipe(
    Layer.provideMerge(
      SessionEntity.layer({
        sha256,
        idleMs: options.idleMs ?? 60_000,
        lostAfterMs: Reactor.lostAfterMs
      })
    ),
    Layer.provideMerge(TestRunner.layer),
    Layer.provideMerge(ShardingConfig.layer()),
    Layer.provideMerge(services)
  )
  const context = yield* Layer.build(entities)
  const inside = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof entities>>): Effect.Effect<A, E> =>
    Effect.provideContext(effect, context)

  yield* Effect.forkScoped(inside(wakeDue))
  // The node takes its shards once the clock moves.
  yield* TestClock.adjust("10 seconds")
  const clientOf = yield* inside(SessionEntity.SessionEntity.client)
  const sessions = yield* inside(Sessions)
  const lives = yield* inside(LiveSessions)
  const sessionId = mintId(random, "Session") as SessionId

  const log = Effect.map(memory.read(sessionId, { after: 0, limit: 100_000 }), (events) =>
    events.map((event) => Result.getOrThrow(Codec.decodeFast(event)))
  )

  return {
    sessionId,
    runner,
    faults,
    random,
    /** A command, in the hands of the session's entity. */
    handle: (body: SessionCommand) =>
      Effect.suspend(() =>
        clientOf(sessionId).Handle({ command: commandOf(random, clock.currentTimeMillisUnsafe(), body) })
      ),
    client: clientOf(sessionId),
    /** The way of the node's own doors: in the process where it can be, else as the entity's client. */
    sessions,
    lives,
    /** Whether the session may be called without the cluster now. */
    isLive: () => lives.find(sessionId) !== undefined,
    log,
    state: Effect.map(log, (events) => fold(events)),
    /** What was written together, by the types of events. */
    commits: (): ReadonlyArray<ReadonlyArray<string>> => commits,
    /** How many entities are in memory. */
    resident: inside(Effect.flatMap(Sharding.Sharding, (sharding) => sharding.activeEntityCount)),
    /** Epochs taken: how often the session was activated. */
    activations: () => claiming.claimsOf(sessionId).length,
    pass: Effect.fnUntraced(function* (ms: number) {
      yield* settled
      for (let left = ms; left > 0; left -= 1_000) {
        yield* TestClock.adjust(Math.min(left, 1_000))
        yield* settled
      }
    }),
    evidence: (calls: Parameters<typeof evidence>[0]["calls"]) =>
      Effect.map(readers.readAll(memory), () =>
        evidence({ memory, sessionIds: [sessionId], claimsOf: claiming.claimsOf, calls, notes: runner.notes, readers })
      )
  }
})
