import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { ChildLog } from "../../src/up/ChildLog.ts"
import { keep, pauseMs, type Told } from "../../src/up/Keeper.ts"
import { type Part, PartEnded } from "../../src/up/Part.ts"

/** A part of which every start ends when the test says so. */
const part = () => {
  const ends: Array<Deferred.Deferred<PartEnded>> = []
  const of: Part = {
    name: "node",
    log: new ChildLog("/nonexistent"),
    start: Effect.gen(function* () {
      const ended = yield* Deferred.make<PartEnded>()
      ends.push(ended)
      return { process: { pid: 1, startTicks: "never" }, adopted: false, ended: Deferred.await(ended) }
    }),
    stopping: { signals: [], hard: "SIGKILL" }
  }
  const end = (final = false) =>
    Effect.suspend(() =>
      Deferred.succeed(ends[ends.length - 1]!, new PartEnded({ part: "node", how: "ended with code 1", final }))
    )
  return { of, end, starts: () => ends.length }
}

const teller = () => {
  const heard: Array<string> = []
  const hear = (what: string) => Effect.sync(() => void heard.push(what))
  const told: Told = {
    ended: (_how, times) => hear(`ended ${times}`),
    loops: (_part, _how, times) => hear(`loops ${times}`),
    restarted: () => hear("restarted"),
    givenUp: () => hear("given up")
  }
  return { heard, told }
}

describe("A part that is kept running", () => {
  it("waits longer from time to time before it starts again, up to a bound", () => {
    assert.deepStrictEqual([1, 2, 3, 4].map(pauseMs), [100, 200, 400, 800])
    assert.strictEqual(pauseMs(100), 15_000)
  })

  it.effect("is given up when it ends three times before it was settled", () =>
    Effect.gen(function* () {
      const { end, of, starts } = part()
      const { heard, told } = teller()
      const keeper = yield* keep(of, told)
      yield* keeper.started
      for (let times = 1; times <= 3; times++) {
        yield* end()
        yield* TestClock.adjust("10 seconds")
      }
      assert.strictEqual(starts(), 3)
      assert.deepStrictEqual(heard, ["ended 1", "restarted", "ended 2", "restarted", "given up"])
    })
  )

  it.effect("is given up at once when it can't use what it was told", () =>
    Effect.gen(function* () {
      const { end, of, starts } = part()
      const { heard, told } = teller()
      yield* (yield* keep(of, told)).started
      yield* end(true)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(starts(), 1)
      assert.deepStrictEqual(heard, ["given up"])
    })
  )

  it.effect("is started again for ever once it was settled, and a loop is told of", () =>
    Effect.gen(function* () {
      const { end, of, starts } = part()
      const { heard, told } = teller()
      const keeper = yield* keep(of, told)
      yield* keeper.started
      keeper.settled()
      for (let times = 1; times <= 9; times++) {
        yield* end()
        yield* TestClock.adjust("16 seconds")
      }
      assert.strictEqual(starts(), 10)
      assert.deepStrictEqual(
        heard.filter((what) => what !== "restarted"),
        ["ended 1", "ended 2", "loops 3", "loops 4", "loops 8"]
      )
    })
  )

  it.effect("is forgiven when it ran well for a while", () =>
    Effect.gen(function* () {
      const { end, of } = part()
      const { heard, told } = teller()
      const keeper = yield* keep(of, told)
      yield* keeper.started
      keeper.settled()
      for (let times = 1; times <= 3; times++) {
        yield* TestClock.adjust("1 minute")
        yield* end()
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(
        heard.filter((what) => what !== "restarted"),
        ["ended 1", "ended 1", "ended 1"]
      )
    })
  )
})
