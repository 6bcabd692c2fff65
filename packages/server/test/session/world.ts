import type { RunnerId, SessionId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { isFinal, type Command } from "@troupe/domain/session/SessionCommand"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { wakeAt } from "@troupe/domain/session/standing"
import { Clock, Effect, Exit, Fiber, Layer, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { hash } from "node:crypto"
import type { ClientCall, Evidence, StoredSession, Transcript } from "../../../../e2e/invariants/Evidence.ts"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../src/log/EventStoreMemory.ts"
import { Minting } from "../../src/log/Minting.ts"
import { AttemptDriver } from "../../src/session/AttemptDriver.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import * as Reactor from "../../src/session/Reactor.ts"
import { RedactionApplier } from "../../src/session/RedactionApplier.ts"
import * as SessionActor from "../../src/session/SessionActor.ts"
import { drawScript } from "../support/AttemptScript.ts"
import { commandOf, drawBody } from "../support/CommandGenerator.ts"
import { noFaults, wrap } from "../support/FaultyStore.ts"
import { mintId, prng } from "../support/Prng.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"

export const sha256 = (text: string) => hash("sha256", text, "hex")

/** One move of a story. `roll` seeds whatever the move draws, so that dropping other moves leaves it much the same. */
export interface Move {
  readonly kind:
    | "command"
    | "repeat"
    | "reuse"
    | "evict"
    | "takeover"
    | "pass"
    | "long"
    | "away"
    | "faults"
    | "placement"
  readonly roll: number
}

export interface Ending {
  readonly evidence: Evidence
  readonly events: ReadonlyArray<SessionEvent>
  readonly refusals: ReadonlySet<string>
  readonly errors: ReadonlySet<string>
}

interface Host {
  readonly scope: Scope.Closeable
  readonly actor: SessionActor.SessionActor
}

const lostAfterMs = 75_000

/** Plays a story on a world of its own: one session, hosts that come and go, a store that fails, a runner that plays scripts. */
export const play = Effect.fnUntraced(function* (seed: number, moves: ReadonlyArray<Move>) {
  const random = prng(seed)
  const clock = yield* Clock.Clock
  const sessionId = mintId(random, "Session") as SessionId
  const faults = noFaults()
  const world = yield* Scope.make()
  const inWorld = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.provideService(effect, Scope.Scope, world)

  const memory = yield* EventStoreMemory.make
  const store = wrap(memory, random.fork(1), faults)
  const scripts = new Map<string, ReturnType<typeof drawScript>>()
  const runner = yield* inWorld(
    ScriptedRunner.make({
      random: random.fork(2),
      runnerId: mintId(random, "Runner") as RunnerId,
      script: (request) => {
        const known = scripts.get(request.attemptId)
        if (known !== undefined) return known
        const drawn = drawScript(random.fork(1_000 + scripts.size))
        scripts.set(request.attemptId, drawn)
        return drawn
      }
    })
  )
  const minting = Minting.make((bytes) => random.bytes(bytes))
  const transcripts: Array<Transcript> = []
  const services = Layer.mergeAll(
    Layer.succeed(EventStore, store),
    Layer.succeed(Minting, minting),
    Layer.succeed(AttemptDriver, runner.driver),
    Layer.succeed(
      Feeds,
      Feeds.of({
        publish: (id, fed) => {
          if (fed._tag !== "Events") return
          for (const { eventId, seq } of fed.events) {
            transcripts.push({ sessionId: id, after: seq - 1, seen: [{ seq, eventId }] })
          }
        },
        listen: () => Effect.never
      })
    ),
    Layer.succeed(RedactionApplier, {
      apply: (_, seqs, report) =>
        Effect.andThen(Effect.sleep(10), Effect.ignore(report({ _tag: "ConfirmRedaction", seqs })))
    })
  )

  const makeHost = Effect.gen(function* () {
    const scope = yield* Scope.fork(world)
    const actor = yield* Effect.gen(function* () {
      let reactor: Reactor.Reactor | null = null
      const made = yield* SessionActor.make({
        sessionId,
        shard: 1,
        sha256,
        react: (activation) => reactor?.reconcile(activation),
        stop: () => reactor?.stop()
      })
      const { handle, overtaken } = made
      reactor = yield* Reactor.make({ sessionId, handle, overtaken, keep: () => undefined, lostAfterMs })
      return made
    }).pipe(Effect.provide(services), Effect.provideService(Scope.Scope, scope))
    return { scope, actor }
  })

  let owner: Host | null = null
  const zombies: Array<Host> = []
  const calls: Array<ClientCall> = []
  const sent: Array<Command> = []
  const fibers: Array<Fiber.Fiber<unknown>> = []
  const refusals = new Set<string>()
  const errors = new Set<string>()

  const host = Effect.suspend(() =>
    owner !== null
      ? Effect.succeed(owner)
      : Effect.map(makeHost, (made) => {
          owner = made
          return made
        })
  )

  const stateNow = Effect.gen(function* () {
    const events = yield* memory.read(sessionId, { after: 0, limit: 100_000 })
    let state: SessionState = initial
    for (const event of events) state = evolve(state, Result.getOrThrow(Codec.decodeFast(event)))
    return { state, events }
  })

  const send = (command: Command, to: Host) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(to.actor.handle(command))
      const { commandId } = command
      const digest = CommandBody.digest(sha256, command)
      const record = (answer: ClientCall["answer"]) => calls.push({ sessionId, commandId, digest, answer })
      if (Exit.isSuccess(exit)) return record({ _tag: "Accepted", seq: exit.value.seq })
      const error = Exit.findErrorOption(exit)
      if (error._tag === "None") return record({ _tag: "Unknown" })
      const failure = error.value
      errors.add(failure._tag)
      if (failure._tag === "CommandIdReused") return record({ _tag: "Reused" })
      if (failure._tag !== "CommandRejected") return record({ _tag: "Unknown" })
      refusals.add(failure.reason._tag)
      return record(isFinal(failure.reason) ? { _tag: "Rejected", reason: failure.reason._tag } : { _tag: "Unknown" })
    })

  const launch = Effect.fnUntraced(function* (command: Command) {
    sent.push(command)
    const to = zombies.length > 0 && random.chance(0.2) ? random.pick(zombies) : yield* host
    fibers.push(yield* Effect.forkIn(send(command, to), world))
  })

  const wake = Effect.gen(function* () {
    const due = yield* memory.due({ shards: [1], nowMs: clock.currentTimeMillisUnsafe(), limit: 10 })
    if (due.length === 0) return
    const { actor } = yield* host
    yield* Effect.forkIn(Effect.ignore(actor.wake), world)
  })

  /** Time passes, and each second somebody looks for what is due, as the waker does. */
  const pass = Effect.fnUntraced(function* (ms: number) {
    for (let left = ms; left > 0; left -= 1_000) {
      yield* TestClock.adjust(Math.min(left, 1_000))
      yield* wake
    }
  })

  const move = Effect.fnUntraced(function* ({ kind, roll }: Move) {
    const own = prng(roll)
    switch (kind) {
      case "command": {
        const { state } = yield* stateNow
        return yield* launch(commandOf(own, clock.currentTimeMillisUnsafe(), drawBody(own, sessionId, state)))
      }
      case "repeat":
        return sent.length === 0 ? undefined : yield* launch(own.pick(sent))
      case "reuse": {
        if (sent.length === 0) return
        const { state } = yield* stateNow
        return yield* launch({ ...own.pick(sent), body: drawBody(own, sessionId, state) })
      }
      case "evict":
        if (owner === null) return
        yield* Effect.forkIn(Scope.close(owner.scope, Exit.void), world)
        owner = null
        return
      case "takeover":
        if (owner === null) return
        zombies.push(owner)
        owner = null
        return yield* wake
      case "pass":
        return yield* pass(own.int(800))
      case "long":
        return yield* pass(own.int(90_000))
      case "away":
        return runner.setAway(own.chance(0.5))
      case "placement":
        return runner.setPlacement(own.chance(0.5) ? "no runner has room" : null)
      case "faults":
        faults.failBefore = own.chance(0.5) ? own.next() * 0.3 : 0
        faults.failAfter = own.chance(0.5) ? own.next() * 0.3 : 0
        faults.slow = own.chance(0.5) ? own.next() * 0.5 : 0
        faults.theft = own.chance(0.3) ? own.next() * 0.2 : 0
    }
  })

  for (const one of moves) yield* move(one)

  // Faults end, zombies go, and time passes until everything that can come to rest has.
  Object.assign(faults, noFaults())
  runner.setAway(false)
  runner.setPlacement(null)
  for (const zombie of zombies) yield* Effect.forkIn(Scope.close(zombie.scope, Exit.void), world)
  yield* pass(5_000)
  for (let i = 0; i < 40; i++) {
    const { state } = yield* stateNow
    if (state._tag !== "Open" || wakeAt(state) === null) break
    yield* pass(10_000)
  }
  for (const fiber of fibers) if (fiber.pollUnsafe() === undefined) yield* Fiber.interrupt(fiber)
  yield* Scope.close(world, Exit.void)

  const { events: recorded } = yield* stateNow
  const evidence: Evidence = {
    sessions: storedSession(memory, sessionId),
    calls,
    notes: runner.notes,
    transcripts,
    feeds: [],
    settled: true,
    secrets: []
  }
  const events = recorded.map((event) => Result.getOrThrow(Codec.decodeFast(event)))
  return { evidence, events, refusals, errors } satisfies Ending
})

const storedSession = (
  memory: EventStoreMemory.EventStoreMemory,
  sessionId: SessionId
): ReadonlyArray<StoredSession> => {
  const log = memory.dump(sessionId)
  if (log === null || log.events.length === 0) return []
  const { events, head, rejections, snapshot, summary } = log
  return [
    {
      sessionId,
      events: events.map((event) => ({ ...event, commandId: event.mark?.commandId ?? null })),
      head,
      rejected: [...rejections.keys()],
      snapshot,
      summary
    }
  ]
}
