import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { decide, plan } from "../../src/session/decide.ts"
import { evolve, fold } from "../../src/session/evolve.ts"
import { Command, isClientCommand } from "../../src/session/SessionCommand.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial, OpenSession, SessionState } from "../../src/session/SessionState.ts"
import { sessionStatus, wakeAt } from "../../src/session/standing.ts"
import { Auditor } from "./auditor.ts"
import { command, message, open, send } from "./make.ts"
import { pooled } from "./pools.ts"
import { play, storyOf } from "./simulation.ts"

const AnyEvent = pooled(SessionEvent)
const AnyCommand = pooled(Command)
const AnyState = pooled(OpenSession)
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))
const often = { arbitrary: { runs: 300, size: 5 }, timeout: 60_000 }

const isState = Schema.is(Schema.toType(SessionState))
const areEvents = Schema.is(Schema.toType(Schema.Array(SessionEvent)))

const freeze = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const one of Object.values(value)) freeze(one)
  }
  return value
}

/** A state that a story of trouble led to. */
const reached = (seed: number): SessionState => play(storyOf(seed, 1 + (seed % 60)), undefined, false).state

describe("laws", () => {
  it.prop(
    "a decision is made about any command in any state, and touches neither",
    [AnyState, AnyCommand],
    ([state, any]) => {
      // Two of three states have ended, where little is left to decide: each is tried as an open one too.
      for (const before of [state, { ...state, ended: null }]) {
        const decided = plan(freeze(before), freeze(any))
        if (Result.isFailure(decided)) continue
        assert.deepStrictEqual(fold(decided.success.events, before), decided.success.state)
      }
    },
    often
  )

  it.prop(
    "any command is decided in any state that can be reached, and leads to such a state again",
    [Seed, AnyCommand],
    ([seed, any]) => {
      const state = freeze(reached(seed))
      const decided = plan(state, any)
      if (Result.isFailure(decided)) return
      assert.isTrue(isState(decided.success.state))
      assert.isTrue(areEvents(decided.success.events))
    },
    often
  )

  it.prop(
    "any event applies to any state",
    [AnyState, Schema.Array(AnyEvent)],
    ([state, events]) => {
      const after = fold(freeze(events), freeze(state))
      assert.strictEqual(after._tag, "Open")
      if (after._tag !== "Open") return
      sessionStatus(after)
      wakeAt(after)
    },
    often
  )

  it.prop(
    "any events make a state out of nothing that can be stored",
    [Schema.Array(AnyEvent)],
    ([events]) => {
      const opened = decide(initial, command(1, 1, open()))
      assert.isTrue(isState(fold(events, fold(Result.getOrThrow(opened)))))
    },
    often
  )

  it.prop(
    "replaying the log from any place in it rebuilds the state",
    [Seed, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 }))],
    ([seed, at]) => {
      const { log, state } = play(storyOf(seed, 60))
      assert.deepStrictEqual(fold(log.slice(at), fold(log.slice(0, at))), state)
      assert.deepStrictEqual(log.reduce(evolve, initial), state)
    },
    { arbitrary: { runs: 50 }, timeout: 60_000 }
  )

  it.prop(
    "an accepted command of a client leaves its mark in the log",
    [Seed, AnyCommand],
    ([seed, any]) => {
      const decided = decide(reached(seed), any)
      if (Result.isSuccess(decided) && isClientCommand(any.body._tag)) assert.isAbove(decided.success.length, 0)
    },
    often
  )

  // Only as long: ids of what is over are forgotten here, and the log knows them.
  it.prop(
    "a message that is sent twice is refused while its turn is queued, steering, running or failed",
    [Seed, Seed],
    ([seed, other]) => {
      const state = reached(seed)
      const again = message(100 + (other % 50), { mode: other % 2 === 0 ? "queue" : "steer" })
      const once = plan(state, command(1, 2_000_000, send(again)))
      if (Result.isFailure(once)) return
      assert.isTrue(Result.isFailure(decide(once.success.state, command(2, 2_000_001, send(again)))))
    },
    often
  )

  it.prop(
    "whatever is asked of a session in sequence, it never rests where it could go on",
    [Schema.Array(AnyCommand).check(Schema.isMaxLength(30))],
    ([commands]) => {
      const auditor = new Auditor()
      let state: SessionState = initial
      for (const one of [command(1, 1, open()), ...commands]) {
        const decided = plan(state, one)
        if (Result.isFailure(decided)) continue
        auditor.step(state, decided.success.events, decided.success.state)
        state = decided.success.state
      }
    },
    { arbitrary: { runs: 100, size: 20 }, timeout: 60_000 }
  )
})
