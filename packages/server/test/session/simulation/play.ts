import { Limits } from "@troupe/domain/Limits"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Cause, Clock, Effect, Exit, Logger, Scope } from "effect"
import type { Evidence } from "../../../../../e2e/invariants/Evidence.ts"
import { crashPoints } from "../../../src/session/CrashPoints.ts"
import { commandOf, drawBody, drawLifecycle, openCommand, plainMessage } from "../../support/CommandGenerator.ts"
import * as FaultyStore from "../../support/FaultyStore.ts"
import { prng, type Prng } from "../../../../../test/support/Prng.ts"
import type { Depth } from "./Depth.ts"
import { Crash } from "./Host.ts"
import type { Site } from "./Site.ts"
import type { Move, Story } from "./Story.ts"
import * as World from "./World.ts"

export interface Ending {
  readonly evidence: Evidence
  readonly events: ReadonlyArray<SessionEvent>
  /** What went wrong beside the promises: errors in the log, commands that nobody answers. */
  readonly problems: ReadonlyArray<string>
  readonly depth: Depth
}

const perFlood = 20

/** What a system in order says of the troubles that a story has. */
const toldOfTrouble = ["An attempt was given up", "Frames of an attempt are missing, and are asked for again"]

/** Plays a story on a world of its own: sessions, hosts that come and go, a store that fails, a runner that plays scripts. */
export const play = Effect.fnUntraced(function* (seed: number, story: Story, unsafe?: World.Unsafe) {
  const clock = yield* Clock.Clock
  const { calm, depth, faults, leave, pass, random, runner, scope, sites, workspaceId } = yield* World.make(
    seed,
    unsafe
  )

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
    const command = { ...openCommand(own, site.sessionId, workspaceId), lifecycle: drawLifecycle(own) }
    yield* site.launch(commandOf(own, 0, command))
    yield* pass(own.int(200))
  })

  /** Ends a trouble: soon, at some time, or after longer than any lease, with the story waiting for it. */
  const until = Effect.fnUntraced(function* (own: Prng, end: Effect.Effect<void>) {
    if (own.chance(0.2)) {
      yield* pass(75_000 + own.int(20_000))
      return yield* end
    }
    const ms = own.chance(0.6) ? own.int(5_000) : own.int(150_000)
    yield* Effect.forkIn(Effect.andThen(Effect.sleep(ms), end), scope)
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
      case "resend": {
        if (site.sent.length === 0) return
        return yield* site.launch(commandOf(own, clock.currentTimeMillisUnsafe(), own.pick(site.sent).body))
      }
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
    yield* Scope.close(scope, Exit.void)
  })

  const problems: Array<string> = []
  const listen = Logger.make(({ cause, message }) => {
    const crashed = cause.reasons.some((reason) => Cause.isDieReason(reason) && reason.defect instanceof Crash)
    if (!crashed && !toldOfTrouble.includes(String(message))) {
      problems.push(`logged: ${String(message)} ${Cause.pretty(cause)}`)
    }
  })
  yield* Effect.provide(run, Logger.layer([listen]))

  const left = yield* leave
  const events = sites.flatMap((site) => site.events)
  return { evidence: left, events, problems, depth } satisfies Ending as Ending
})
