import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { type Facts, Places } from "../../src/workplace/Places.ts"
import { dueAt, type Rest } from "../../src/workplace/rest.ts"
import { newFacts, runnerAt, said, storedBlobs, ticket } from "./world.ts"

const retain = { onCompletion: "retain", keepFailed: false, ttlSeconds: null } as const
const minute = 60_000

describe("what becomes of a place where nobody works", () => {
  const after = (ms: number, lifecycle: Partial<Parameters<typeof dueAt>[0]>, rest: Partial<Rest> = {}) =>
    dueAt({ ...retain, ...lifecycle }, { ended: "done", kept: true, at: 1_000_000, ...rest }, 1_000_000 + ms)

  it("is what its environment says, once a turn is done and none came for a while", () => {
    assert.strictEqual(after(24 * 60 * minute, {}), "stay")
    assert.deepStrictEqual(
      [after(minute - 1, { onCompletion: "sleep" }), after(minute, { onCompletion: "sleep" })],
      ["stay", "sleep"]
    )
    assert.deepStrictEqual(
      [after(minute - 1, { onCompletion: "delete" }), after(minute, { onCompletion: "delete" })],
      ["stay", "delete"]
    )
  })

  it("sleeps where its session wants that, and is deleted where its environment does", () => {
    const sleeps = { sleeps: true }
    assert.deepStrictEqual([after(minute - 1, {}, sleeps), after(minute, {}, sleeps)], ["stay", "sleep"])
    assert.strictEqual(after(minute, { onCompletion: "delete" }, sleeps), "delete")
    assert.strictEqual(after(minute, {}, { ...sleeps, ended: "waiting" }), "stay")
  })

  it("waits for who was asked, and for who stopped a turn", () => {
    for (const ended of ["waiting", "working"] as const) {
      assert.strictEqual(after(60 * minute, { onCompletion: "delete" }, { ended }), "stay")
    }
  })

  it("is kept after a failure where people want to look into it", () => {
    const failed = { ended: "failed" } as const
    assert.strictEqual(after(60 * minute, { onCompletion: "delete" }, failed), "delete")
    assert.strictEqual(after(60 * minute, { onCompletion: "delete", keepFailed: true, ttlSeconds: 60 }, failed), "stay")
  })

  it("ends with its time, whatever it waits for", () => {
    for (const ended of ["waiting", "working", "done"] as const) {
      assert.strictEqual(after(2 * minute - 1, { ttlSeconds: 120 }, { ended }), "stay")
      assert.strictEqual(after(2 * minute, { ttlSeconds: 120 }, { ended }), "delete")
    }
  })

  it("is no deletion of what is kept nowhere else", () => {
    assert.strictEqual(after(minute, { onCompletion: "delete" }, { kept: false }), "sleep")
    assert.strictEqual(after(2 * minute, { ttlSeconds: 60 }, { kept: false }), "sleep")
  })
})

/** A turn that leaves something, and is done. */
const turn = (places: Places["Service"], facts: Facts, rest: Partial<Rest> = {}, script = "echo kept > notes") =>
  Effect.scoped(
    Effect.gen(function* () {
      const place = yield* places.open(facts)
      yield* place.rest({ ended: "working", kept: false, at: 0 })
      yield* said(place, script)
      const { checkpoint } = yield* place.capture
      yield* place.rest({ ended: "done", kept: true, at: 0, ...rest })
      return checkpoint
    })
  )

const until = (what: () => boolean) =>
  Effect.gen(function* () {
    while (!what()) yield* Effect.sleep(20)
  }).pipe(Effect.timeout(60_000))

requires("bubblewrap", "root")("the places of a runner", () => {
  it.live(
    "are put away as their environments say, with what is kept nowhere else left where it is",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const soon = { idleMs: 60_000, graceMs: 100 }
        const environment = (onCompletion: string, more: object = {}) =>
          newFacts({ lifecycle: { onCompletion, keepFailed: true, ttlSeconds: null, ...more } })
        yield* Effect.gen(function* () {
          const places = yield* Places
          const made = (facts: Facts) => places.record(facts.sessionId)?.made
          const gone = environment("delete")
          const [asleep, stays, failed, unkept, outputs, timed] = [
            environment("sleep"),
            environment("retain"),
            environment("delete"),
            environment("delete"),
            environment("delete"),
            environment("retain", { ttlSeconds: 60 })
          ] as const
          yield* turn(places, stays)
          yield* turn(places, failed, { ended: "failed" })
          yield* turn(places, unkept, { kept: false })
          yield* turn(places, outputs, {}, "echo result > /mnt/session/outputs/result")
          yield* turn(places, asleep)
          yield* turn(places, timed)
          const checkpoint = yield* turn(places, gone)
          yield* until(
            () =>
              [gone, timed].every((facts) => places.record(facts.sessionId) === null) &&
              [asleep, unkept, outputs].every((facts) => made(facts) === false)
          )
          assert.deepStrictEqual([made(stays), made(failed)], [true, true])

          const again = yield* places.open(asleep)
          assert.strictEqual(yield* said(again, "cat notes"), "kept\n")
          const restored = yield* places.open(gone)
          assert.strictEqual(yield* said(restored, "ls"), "")
          yield* restored.restore(checkpoint)
          assert.strictEqual(yield* said(restored, "cat notes"), "kept\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket), { times: soon })))
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "are put away by the next runner",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const blobs = storedBlobs(ticket)
        const facts = newFacts({ lifecycle: { onCompletion: "delete", keepFailed: false, ttlSeconds: null } })
        yield* Effect.gen(function* () {
          yield* turn(yield* Places, facts)
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
        const homes = join(directory, "sandboxes")
        const record = join(directory, "places", `${facts.sessionId}.json`)
        assert.isTrue(existsSync(record))
        yield* Effect.gen(function* () {
          const places = yield* Places
          yield* until(() => places.record(facts.sessionId) === null)
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs, { times: { idleMs: 60_000, graceMs: 100 } })))
        assert.deepStrictEqual(
          readdirSync(homes).filter((name) => name !== "accounts"),
          []
        )
      }).pipe(Effect.scoped),
    120_000
  )
})
