import type { SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Cause, Clock, Effect, Exit, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ClientCall, Evidence } from "../../../../../e2e/invariants/Evidence.ts"
import type { EventStore } from "../../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../../src/log/EventStoreMemory.ts"
import { Minting } from "../../../src/log/Minting.ts"
import { crashPoints } from "../../../src/session/CrashPoints.ts"
import { drawScript, type Script } from "../../support/AttemptScript.ts"
import { commandOf, drawBody, openCommand, plainMessage } from "../../support/CommandGenerator.ts"
import * as FaultyStore from "../../support/FaultyStore.ts"
import * as PositionedStore from "../../support/PositionedStore.ts"
import { mintId, prng, type Prng } from "../../support/Prng.ts"
import * as ScriptedRunner from "../../support/ScriptedRunner.ts"
import * as UngatedStore from "../../support/UngatedStore.ts"
import { evidence, Readers, recordClaims } from "./Chronicle.ts"
import { Depth } from "./Depth.ts"
import * as Host from "./Host.ts"
import { Site } from "./Site.ts"
import type { Move, Story } from "./Story.ts"

/** A safeguard that is left out, to prove that the judge sees it. */
export type Unsafe = "fencing" | "duplicates" | "outputGate" | "gapFreeReading" | "intentGate"

export interface Ending {
  readonly evidence: Evidence
  readonly events: ReadonlyArray<SessionEvent>
  /** What went wrong beside the promises: errors in the log, commands that nobody answers. */
  readonly problems: ReadonlyArray<string>
  readonly depth: Depth
}

const perFlood = 20

/** Plays a story on a world of its own: sessions, hosts that come and go, a store that fails, a runner that plays scripts. */
export const play = Effect.fnUntraced(function* (seed: number, story: Story, unsafe?: Unsafe) {
  const random = prng(seed)
  const clock = yield* Clock.Clock
  const world = yield* Scope.make()
  const limbo = yield* Scope.make()
  const depth = new Depth()
  const calls: Array<ClientCall> = []
  const readers = new Readers()
  const faults = FaultyStore.noFaults()
  const faultCounts = FaultyStore.noFaults()

  const memory = yield* EventStoreMemory.makeUnsafe({
    withoutFencing: unsafe === "fencing",
    withoutDuplicates: unsafe === "duplicates"
  })
  const readAll: Effect.Effect<void> = Effect.suspend(() => readers.readAll(positioned))
  const positioned: EventStore["Service"] = PositionedStore.wrap(memory, random.fork(1), {
    committed: readAll,
    unsafeReadAll: unsafe === "gapFreeReading"
  })
  const late = random.fork(4)
  const stored = unsafe === "outputGate" ? UngatedStore.wrap(positioned, limbo, () => 1 + late.int(20)) : positioned
  const claiming = recordClaims(stored)
  const store = FaultyStore.wrap(claiming, random.fork(2), faults, faultCounts)

  const scripts = new Map<string, Script>()
  const drawn = random.fork(5)
  const runner = yield* Effect.provideService(
    ScriptedRunner.make({
      random: random.fork(3),
      runnerId: ScriptedRunner.drawRunnerId(random),
      unsafeWithoutIntentGate: unsafe === "intentGate",
      script: ({ attemptId }) => {
        const known = scripts.get(attemptId) ?? drawScript(drawn.fork(scripts.size))
        scripts.set(attemptId, known)
        return known
      }
    }),
    Scope.Scope,
    world
  )
  const workspaceId = mintId(random, "Workspace") as WorkspaceId
  const bytes = random.fork(6)
  const minting = Minting.make((into) => bytes.bytes(into))
  const sites = Array.from({ length: random.chance(0.4) ? 2 : 1 }, (_, index) => {
    const sessionId = mintId(random, "Session") as SessionId
    const { driver } = runner
    const { publish } = readers
    const makeHost = Host.make({ sessionId, store, driver, minting, publish, depth })
    const of = random.fork(10 + index)
    return new Site({ sessionId, random: of, scope: world, limbo, makeHost, log: memory, calls, depth })
  })

  /** Time passes, and each second somebody looks for what is due, and reads what came. */
  const pass = Effect.fnUntraced(function* (ms: number) {
    for (let left = ms; left > 0; left -= 1_000) {
      yield* TestClock.adjust(Math.min(left, 1_000))
      for (const site of sites) yield* site.wake()
      yield* readAll
    }
  })

  const send = Effect.fnUntraced(function* (site: Site, own: Prng, body: SessionCommand, state: SessionState) {
    const trouble =
      body._tag === "Pause"
        ? "pause"
        : body._tag === "Send" && body.inputs.some((input) => input._tag === "Interrupt")
          ? "interrupt"
          : undefined
    if (trouble !== undefined) depth.trouble(trouble, [], state)
    yield* site.launch(commandOf(own, clock.currentTimeMillisUnsafe(), body))
  })

  /** Most stories are about sessions that are open, and that have something to do. */
  const open = Effect.fnUntraced(function* (site: Site, index: number) {
    const own = random.fork(20 + index)
    if (own.chance(0.1)) return
    yield* site.launch(commandOf(own, 0, openCommand(own, site.sessionId, workspaceId)))
    yield* pass(own.int(200))
  })

  /** Ends a trouble: soon, at some time, or after longer than any lease, with the story waiting for it. */
  const until = Effect.fnUntraced(function* (own: Prng, end: Effect.Effect<void>) {
    if (own.chance(0.2)) {
      yield* pass(75_000 + own.int(20_000))
      return yield* end
    }
    const ms = own.chance(0.6) ? own.int(5_000) : own.int(150_000)
    yield* Effect.forkIn(Effect.andThen(Effect.sleep(ms), end), world)
  })

  const move = Effect.fnUntraced(function* ({ kind, roll }: Move) {
    const own = prng(roll)
    const site = own.pick(sites)
    const state = yield* site.look()
    depth.trouble(kind, yield* Effect.forEach(sites, (one) => one.look()), state)
    const draw = () => drawBody(own, site.sessionId, state, workspaceId)
    switch (kind) {
      case "command":
        return yield* send(site, own, draw(), state)
      case "burst":
        if (state._tag === "NotOpened") return yield* send(site, own, draw(), state)
        for (let left = 2 + own.int(14); left > 0; left--) yield* send(site, own, draw(), state)
        return
      case "flood":
        yield* send(site, own, { _tag: "Pause" }, state)
        for (let left = 1 + Limits.queuedTurnsMax / perFlood; left > 0; left--) {
          const inputs = Array.from({ length: perFlood }, () => plainMessage(own))
          yield* send(site, own, { _tag: "Send", inputs }, state)
          if (left % 8 === 0) yield* pass(100)
        }
        return
      case "repeat":
        return site.sent.length === 0 ? undefined : yield* site.launch(own.pick(site.sent))
      case "reuse":
        return site.sent.length === 0 ? undefined : yield* site.launch({ ...own.pick(site.sent), body: draw() })
      case "cancel":
        return yield* site.cancel(own)
      case "pass":
        return yield* pass(own.int(800))
      case "long":
        return yield* pass(own.int(90_000))
      case "evict":
        return yield* site.evict()
      case "takeover":
      case "freeze":
        return site.replace(kind)
      case "thaw":
        return site.thaw()
      case "crash":
        return site.crash(own.chance(0.3) ? "now" : own.pick(crashPoints))
      case "away":
        yield* runner.setAway(true)
        return yield* until(own, runner.setAway(false))
      case "mute":
        runner.setMute(true)
        return yield* until(
          own,
          Effect.sync(() => runner.setMute(false))
        )
      case "placement":
        return runner.setPlacement(own.chance(0.5) ? "no runner has room" : null)
      case "noise":
        return runner.setNoise(own.chance(0.7) ? own.next() * 0.3 : 0)
      case "loss":
        return yield* runner.harm(own.pick(["disk", "amnesia", "restart"]))
      case "faults":
        faults.failBefore = own.chance(0.5) ? own.next() * 0.3 : 0
        faults.failAfter = own.chance(0.5) ? own.next() * 0.3 : 0
        faults.slow = own.chance(0.5) ? own.next() * 0.5 : 0
        faults.theft = own.chance(0.3) ? own.next() * 0.2 : 0
        return
      case "calm":
        Object.assign(faults, FaultyStore.noFaults())
    }
  })

  const calm = Effect.gen(function* () {
    Object.assign(faults, FaultyStore.noFaults())
    yield* runner.setAway(false)
    runner.setMute(false)
    runner.setPlacement(null)
    runner.setNoise(0)
    for (const site of sites) yield* site.calm()
  })

  const atRest = Effect.gen(function* () {
    for (const site of sites) {
      const state = yield* site.look()
      if (state._tag === "Open" && wakeAt(state) !== null) return false
    }
    return true
  })

  const run = Effect.gen(function* () {
    for (const [index, site] of sites.entries()) yield* open(site, index)
    for (const one of story) yield* move(one)
    // Trouble ends, everything is sent again, and time passes until all that can come to rest has.
    yield* calm
    yield* pass(2_000)
    for (const site of sites) yield* site.resend()
    yield* pass(10_000)
    for (let i = 0; i < 60 && !(yield* atRest); i++) yield* pass(10_000)
    for (const site of sites) {
      const unanswered = yield* site.unanswered()
      if (unanswered > 0) problems.push(`${unanswered} commands have no answer`)
      yield* site.close()
    }
    yield* readAll
    yield* Scope.close(world, Exit.void)
  })

  const problems: Array<string> = []
  const listen = Logger.make(({ cause, message }) => {
    const crashed = cause.reasons.some((reason) => Cause.isDieReason(reason) && reason.defect instanceof Host.Crash)
    if (!crashed) problems.push(`logged: ${String(message)} ${Cause.pretty(cause)}`)
  })
  yield* Effect.provide(run, Logger.layer([listen]))

  for (const kind of ["failBefore", "failAfter", "slow", "theft"] as const) depth.add("fault", kind, faultCounts[kind])
  for (const site of sites) {
    yield* site.look()
    depth.log(site.events)
  }
  return {
    evidence: evidence({
      memory,
      sessionIds: sites.map((site) => site.sessionId),
      claimsOf: claiming.claimsOf,
      calls,
      notes: runner.notes,
      readers
    }),
    events: sites.flatMap((site) => site.events),
    problems,
    depth
  } satisfies Ending as Ending
})
