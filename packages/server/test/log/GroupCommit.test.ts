import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import * as GroupCommit from "../../src/log/GroupCommit.ts"

interface Item {
  readonly key: string
  readonly bytes: number
  readonly n: number
}

const item = (n: number, key = `key ${n}`, bytes = 1): Item => ({ n, key, bytes })

/** A group commit whose batches are finished by hand. */
const byHand = Effect.fnUntraced(function* (
  bounds: Partial<GroupCommit.GroupCommitOptions<Item, number, string>> = {}
) {
  const batches: Array<{ readonly items: ReadonlyArray<Item>; readonly finish: Effect.Effect<unknown> }> = []
  let underWay = 0
  const scope = yield* Scope.make()
  const submit = yield* GroupCommit.make<Item, number, string>({
    key: (item) => item.key,
    bytes: (item) => item.bytes,
    itemsMax: 4,
    bytesMax: 100,
    inFlightMax: 2,
    itemsWorth: 4,
    waitingItemsMax: 1_000,
    waitingBytesMax: 10_000,
    refused: (why) => why,
    run: (items) =>
      Effect.gen(function* () {
        assert.isAtMost(++underWay, 2)
        const done = yield* Deferred.make<void>()
        batches.push({ items, finish: Effect.andThen(Deferred.succeed(done, undefined), settle) })
        yield* Deferred.await(done)
        underWay--
        return items.map(({ n }) => (n < 0 ? Exit.fail("bad") : Exit.succeed(n)))
      }),
    ...bounds
  }).pipe(Scope.provide(scope))
  const send = (item: Item) => Effect.forkChild(submit(item), { startImmediately: true })
  return { batches, submit, send, scope, numbers: () => batches.map(({ items }) => items.map(({ n }) => n)) }
})

const settle = Effect.gen(function* () {
  for (let i = 0; i < 20; i++) yield* Effect.yieldNow
})

describe("GroupCommit", () => {
  it.effect("divides what came together, so that there is always a batch under way", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand({ itemsMax: 100, itemsWorth: 2 })
      const fibers = []
      for (let n = 1; n <= 8; n++) fibers.push(yield* send(item(n)))
      yield* settle
      assert.deepStrictEqual(numbers(), [
        [1, 2, 3, 4],
        [5, 6, 7, 8]
      ])
      for (let n = 9; n <= 12; n++) fibers.push(yield* send(item(n)))
      yield* batches[0]!.finish
      assert.deepStrictEqual(numbers()[2], [9, 10, 11, 12])
      yield* batches[1]!.finish
      for (let n = 13; n <= 15; n++) fibers.push(yield* send(item(n)))
      yield* settle
      // Half of seven would be four; three are all there are.
      assert.deepStrictEqual(numbers()[3], [13, 14, 15])
      for (const batch of batches.slice(2)) yield* batch.finish
      for (const fiber of fibers) yield* Fiber.join(fiber)
    })
  )

  it.effect("does not divide what is hardly worth a batch", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand()
      const fibers = []
      for (let n = 1; n <= 4; n++) fibers.push(yield* send(item(n)))
      yield* settle
      assert.deepStrictEqual(numbers(), [[1, 2, 3, 4]])
      yield* batches[0]!.finish
      for (const fiber of fibers) yield* Fiber.join(fiber)
    })
  )

  it.effect("makes the next batches of what arrives during a commit", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand()
      const fibers = [yield* send(item(1))]
      yield* settle
      for (let n = 2; n <= 12; n++) fibers.push(yield* send(item(n)))
      yield* settle
      assert.deepStrictEqual(numbers(), [[1], [2, 3, 4, 5]])
      yield* batches[0]!.finish
      assert.deepStrictEqual(numbers(), [[1], [2, 3, 4, 5], [6, 7, 8, 9]])
      yield* batches[2]!.finish
      yield* batches[1]!.finish
      yield* batches[3]!.finish
      const results = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(
        results,
        fibers.map((_, index) => index + 1)
      )
    })
  )

  it.effect("starts with all who come in the same turn", () =>
    Effect.gen(function* () {
      const { numbers, send } = yield* byHand()
      for (let n = 1; n <= 4; n++) yield* send(item(n))
      yield* settle
      assert.deepStrictEqual(numbers(), [[1, 2, 3, 4]])
    })
  )

  it.effect("waits a turn more for as long as each brings somebody, and for nobody otherwise", () =>
    Effect.gen(function* () {
      const { numbers, send } = yield* byHand({ itemsMax: 100, itemsWorth: 100 })
      for (let n = 1; n <= 4; n++) {
        yield* send(item(n))
        yield* Effect.yieldNow
      }
      assert.deepStrictEqual(numbers(), [])
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      assert.deepStrictEqual(numbers(), [[1, 2, 3, 4]])
    })
  )

  it.effect("does not wait for ever for those who come one by one", () =>
    Effect.gen(function* () {
      const { numbers, send } = yield* byHand({ itemsMax: 100, itemsWorth: 100 })
      for (let n = 1; n <= 20; n++) {
        yield* send(item(n))
        yield* Effect.yieldNow
      }
      assert.isAtLeast(numbers().length, 2)
    })
  )

  it.effect("fills a batch by bytes too, and lets what is larger go alone", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand()
      for (const [index, bytes] of [60, 40, 1, 500, 1].entries()) yield* send(item(index, undefined, bytes))
      yield* settle
      assert.deepStrictEqual(numbers(), [[0, 1], [2]])
      yield* batches[0]!.finish
      yield* batches[1]!.finish
      assert.deepStrictEqual(numbers(), [[0, 1], [2], [3], [4]])
    })
  )

  it.effect("never has two items of one key under way, and keeps their order", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand()
      for (let n = 1; n <= 6; n++) yield* send(item(n, n % 2 === 0 ? "even" : "odd"))
      yield* settle
      assert.deepStrictEqual(numbers(), [[1, 2]])
      yield* batches[0]!.finish
      yield* batches[1]!.finish
      assert.deepStrictEqual(numbers(), [
        [1, 2],
        [3, 4],
        [5, 6]
      ])
    })
  )

  it.effect("answers each for itself", () =>
    Effect.gen(function* () {
      const { batches, send } = yield* byHand()
      const fibers = [yield* send(item(1)), yield* send(item(-1)), yield* send(item(2))]
      yield* settle
      yield* batches[0]!.finish
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.deepStrictEqual(exits, [Exit.succeed(1), Exit.fail("bad"), Exit.succeed(2)])
    })
  )

  it.effect("finishes a batch whose callers are gone, and takes back what had not begun", () =>
    Effect.gen(function* () {
      const { batches, numbers, send } = yield* byHand({ inFlightMax: 1 })
      const first = yield* send(item(1))
      const stays = yield* send(item(2))
      yield* settle
      const waiting = yield* send(item(3))
      const next = yield* send(item(4, "key 3"))
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(waiting)
      yield* batches[0]!.finish
      assert.strictEqual(yield* Fiber.join(stays), 2)
      assert.deepStrictEqual(numbers(), [[1, 2], [4]])
      yield* batches[1]!.finish
      assert.strictEqual(yield* Fiber.join(next), 4)
    })
  )

  it.effect("refuses at once what is more than may wait", () =>
    Effect.gen(function* () {
      const { batches, send, submit } = yield* byHand({ waitingItemsMax: 2, inFlightMax: 1 })
      yield* send(item(1))
      yield* settle
      const waiting = [yield* send(item(2)), yield* send(item(3))]
      assert.strictEqual(yield* Effect.flip(submit(item(4))), "full")
      yield* batches[0]!.finish
      yield* batches[1]!.finish
      assert.deepStrictEqual(yield* Effect.forEach(waiting, Fiber.join), [2, 3])
      const bytes = yield* byHand({ waitingBytesMax: 10, inFlightMax: 1 })
      yield* bytes.send(item(1, undefined, 500))
      yield* bytes.send(item(2, "key 1", 6))
      assert.strictEqual(yield* Effect.flip(bytes.submit(item(3, undefined, 6))), "full")
    })
  )

  it.effect("ends after the batches under way, and tells the rest", () =>
    Effect.gen(function* () {
      const { batches, scope, send, submit } = yield* byHand({ inFlightMax: 1 })
      const under = yield* send(item(1))
      yield* settle
      const waiting = yield* send(item(2))
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      assert.strictEqual(yield* Effect.flip(Fiber.join(waiting)), "closed")
      assert.strictEqual(yield* Effect.flip(submit(item(3))), "closed")
      assert.isUndefined(closing.pollUnsafe())
      yield* batches[0]!.finish
      assert.strictEqual(yield* Fiber.join(under), 1)
      yield* Fiber.join(closing)
    })
  )

  it.effect("goes on after a batch that broke", () =>
    Effect.gen(function* () {
      const { send, submit } = yield* byHand({
        run: ([first]) => (first!.n === 1 ? Effect.die("broken") : Effect.succeed([Exit.succeed(2)]))
      })
      const broken = yield* send(item(1))
      assert.isTrue(Exit.hasDies(yield* Fiber.await(broken)))
      assert.strictEqual(yield* submit(item(2, "key 1")), 2)
    })
  )
})
