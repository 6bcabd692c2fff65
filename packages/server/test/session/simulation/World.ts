import type { SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ClientCall } from "../../../../../e2e/invariants/Evidence.ts"
import type { EventStore } from "../../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../../src/log/EventStoreMemory.ts"
import { Minting } from "../../../src/log/Minting.ts"
import { drawScript, type Script } from "../../support/AttemptScript.ts"
import * as FaultyStore from "../../support/FaultyStore.ts"
import * as PositionedStore from "../../support/PositionedStore.ts"
import { mintId, prng } from "../../../../../test/support/Prng.ts"
import * as ScriptedRunner from "../../support/ScriptedRunner.ts"
import * as UngatedStore from "../../support/UngatedStore.ts"
import { evidence, Readers, recordClaims } from "./Chronicle.ts"
import { Depth } from "./Depth.ts"
import * as Host from "./Host.ts"
import { Site } from "./Site.ts"

/** A safeguard that is left out, to prove that the judge sees it. */
export type Unsafe = "fencing" | "duplicates" | "outputGate" | "gapFreeReading" | "intentGate"

/** One or two sessions on a store that may fail, a runner that plays scripts, readers, and the time that passes. */
export const make = Effect.fnUntraced(function* (seed: number, unsafe?: Unsafe) {
  const random = prng(seed)
  const scope = yield* Scope.make()
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
    scope
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
    return new Site({ sessionId, random: of, scope, limbo, makeHost, log: memory, calls, depth })
  })

  /** Time passes, and each second somebody looks for what is due, and reads what came. */
  const pass = Effect.fnUntraced(function* (ms: number) {
    for (let left = ms; left > 0; left -= 1_000) {
      yield* TestClock.adjust(Math.min(left, 1_000))
      for (const site of sites) yield* site.wake()
      yield* readAll
    }
  })

  /** All that was left behind. */
  const leave = Effect.gen(function* () {
    for (const kind of faultKinds) depth.add("fault", kind, faultCounts[kind])
    for (const site of sites) {
      yield* site.look()
      depth.log(site.events)
    }
    yield* readAll
    const sessionIds = sites.map((site) => site.sessionId)
    return evidence({ memory, sessionIds, claimsOf: claiming.claimsOf, calls, notes: runner.notes, readers })
  })

  /** No trouble comes from anywhere any more. */
  const calm = Effect.gen(function* () {
    Object.assign(faults, FaultyStore.noFaults())
    yield* runner.setAway(false)
    runner.setMute(false)
    runner.setPlacement(null)
    runner.setNoise(0)
    for (const site of sites) yield* site.calm()
  })

  return { random, scope, depth, faults, runner, sites, workspaceId, pass, calm, leave }
})

const faultKinds = ["failBefore", "failAfter", "slow", "theft"] as const
