import { codec } from "@troupe/domain/session/Codec"
import { assert, describe, it } from "@effect/vitest"
import { genesis } from "@troupe/domain/log/Chain"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import type { Command } from "@troupe/domain/session/SessionCommand"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import type { ClientCall } from "../../../../e2e/invariants/Evidence.ts"
import { judge } from "../../../../e2e/invariants/judge.ts"
import { Minting } from "../../src/log/Minting.ts"
import { planBatch, type Accepted } from "../../src/session/planBatch.ts"
import { drawScript } from "../support/AttemptScript.ts"
import { commandOf, drawBody, openCommand } from "../support/CommandGenerator.ts"
import * as FaultyStore from "../support/FaultyStore.ts"
import { prng, type Prng } from "../../../../test/support/Prng.ts"
import * as EntityWorld from "./entityWorld.ts"
import { Depth } from "./simulation/Depth.ts"
import { sha256 } from "./simulation/Host.ts"

const runs = Number(process.env["TROUPE_SEEDS"] ?? (process.env["TROUPE_FULL"] === "1" ? 200 : 30))
const first = Number(process.env["TROUPE_SEED"] ?? 1)

/** What the rules say, whatever entity says it. */
const planning = {
  sessionId: "",
  epoch: 0,
  nowMicros: 0,
  sha256,
  minting: Minting.make(() => undefined),
  codec,
  format: codec.format,
  takenInputs: new Set<string>()
}

const working = (state: SessionState): boolean =>
  state._tag === "Open" && (wakeAt(state) === 0 || state.threads.some(({ turn }) => turn?.phase._tag === "Working"))

/** Plays with one session as an entity: commands, time, long idleness, a store and a runner in trouble. */
const play = Effect.fnUntraced(function* (seed: number, depth: Depth) {
  const own = prng(seed).fork(100)
  const world = yield* EntityWorld.make({ seed, script: (attempt) => drawScript(own.fork(attempt)) })
  const { client, faults, pass, runner, sessionId, sessions } = world
  const calls: Array<ClientCall> = []
  const sent: Array<Command> = []

  const ask = Effect.fnUntraced(function* (command: Command) {
    sent.push(command)
    // Both ways lead to the same session: past the cluster where it lives, and through it.
    const way: Effect.Effect<Accepted, { readonly _tag: string }> = own.chance(0.5)
      ? client.Handle({ command })
      : sessions.handle(sessionId, command)
    const exit = yield* Effect.exit(way)
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    const answer: ClientCall["answer"] = Exit.isSuccess(exit)
      ? { _tag: "Accepted", seq: exit.value.seq }
      : error?._tag === "CommandIdReused"
        ? { _tag: "Reused" }
        : { _tag: "Unknown" }
    const { commandId } = command
    calls.push({ sessionId, commandId, digest: CommandBody.digest(sha256, command), answer })
    return { exit, error }
  })

  /** What is at rest is decided as the rules say, whether its entity was put away meanwhile or not. */
  const command = Effect.fnUntraced(function* (random: Prng) {
    const state = yield* world.state
    const version = (yield* world.log).length
    const one = commandOf(random, yield* now, drawBody(random, sessionId, state))
    const calm = faults.failBefore + faults.failAfter + faults.slow + faults.theft === 0
    const asked = yield* Effect.forkChild(ask(one))
    yield* EntityWorld.settled
    yield* pass(calm ? 10 : 4_000)
    if (!calm || working(state)) return
    if (asked.pollUnsafe() === undefined) {
      // Still busy with what went wrong before: it answers, on whatever the state is then.
      yield* pass(20_000)
      return assert.isDefined(asked.pollUnsafe(), `no answer to ${one.body._tag} in seed ${seed}`)
    }
    const { error, exit } = yield* Fiber.join(asked)
    const standing = { state, version, chain: genesis, lastRecordedAt: 0 }
    const [expected] = planBatch(standing, [{ command: one, digest: null }], planning).outcomes
    depth.add("agreed", expected!._tag)
    if (error !== undefined && error._tag !== "CommandRejected") return depth.add("refused", error._tag)
    const actual = answerOf(Exit.isSuccess(exit) ? exit.value : { _tag: "Refused", error })
    assert.deepStrictEqual<unknown>(actual, answerOf(expected!), `seed ${seed}`)
  })

  /** Nobody asks for it until it is put away, unless something goes on. */
  const idle = Effect.gen(function* () {
    const before = yield* world.state
    yield* pass(150_000)
    if ((yield* world.resident) > 0) return depth.add("idle", "stayed")
    const after = yield* world.state
    depth.add("idle", "put away")
    if (working(before) || working(after)) return
    const current = yield* Effect.exit(client.Current())
    if (Exit.isSuccess(current)) assert.deepStrictEqual(current.value.state, after)
  })

  const now = Effect.map(
    TestClock.testClockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe())),
    Number
  )

  const move = Effect.fnUntraced(function* () {
    const roll = own.next()
    if (roll < 0.5) return yield* command(own)
    if (roll < 0.7) return yield* pass(own.int(3_000))
    if (roll < 0.78) return yield* idle
    if (roll < 0.84 && sent.length > 0) {
      yield* Effect.forkChild(ask(own.pick(sent)))
      return yield* pass(10)
    }
    if (roll < 0.9) {
      Object.assign(faults, FaultyStore.noFaults())
      if (own.chance(0.5))
        Object.assign(faults, { failBefore: own.next() * 0.2, failAfter: own.next() * 0.2, theft: 0.05 })
      return
    }
    if (roll < 0.95) return yield* runner.setAway(own.chance(0.5))
    return yield* runner.harm(own.pick(["disk", "amnesia", "restart"]))
  })

  const opening = { ...openCommand(own, sessionId), inputs: [] }
  yield* ask(commandOf(own, 0, opening as never))
  for (let moves = 15 + own.int(25); moves > 0; moves--) yield* move()

  Object.assign(faults, FaultyStore.noFaults())
  yield* runner.setAway(false)
  for (let i = 0; i < 60; i++) {
    yield* pass(10_000)
    const state = yield* world.state
    if (state._tag !== "Open" || wakeAt(state) === null) break
  }
  depth.add("entity", "activated", world.activations())
  depth.log(yield* world.log)
  return judge(yield* world.evidence(calls))
})

/** What is answered, but for the events themselves, which have ids and times of their own wherever they were decided. */
const answerOf = (outcome: object) => ({ ...outcome, written: undefined })

describe("sessions as entities", () => {
  it.effect(
    `agree with ones that were never put away, over ${runs} seeds`,
    () =>
      Effect.gen(function* () {
        const depth = new Depth()
        for (let seed = first; seed < first + runs; seed++) {
          const violations = yield* play(seed, depth).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
          assert.deepStrictEqual(violations, [], `seed ${seed}`)
        }
        if (process.env["TROUPE_DEPTH"] === "1") process.stdout.write(`${depth}\n`)
        if (runs < 30) return
        assert.isAbove(depth.count("idle", "put away"), runs / 2)
        assert.isAbove(depth.count("idle", "stayed"), 0)
        assert.isAbove(depth.count("agreed", "Accepted"), runs * 2)
        assert.isAbove(depth.count("agreed", "Refused"), runs)
        assert.isAbove(depth.count("event", "AttemptStarted"), runs)
      }),
    600_000
  )
})
