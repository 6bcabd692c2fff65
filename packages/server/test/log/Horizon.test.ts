import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Metric } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import * as Horizon from "../../src/log/Horizon.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

describe("the horizon", () => {
  it("is held by the oldest transaction that writes, from when it was seen first", () => {
    const one = Horizon.observe(null, { oldest: "7", next: "9" }, 100)
    assert.deepStrictEqual(one, { xid: "7", sinceMs: 100 })
    assert.strictEqual(Horizon.observe(one, { oldest: "7", next: "12" }, 900), one)
    assert.deepStrictEqual(Horizon.observe(one, { oldest: "8", next: "12" }, 900), { xid: "8", sinceMs: 900 })
  })

  it("is held by nobody where the next transaction is the oldest", () => {
    assert.isNull(Horizon.observe({ xid: "7", sinceMs: 100 }, { oldest: "9", next: "9" }, 900))
  })
})

const Services = TestDatabase.layerApp().pipe(Layer.provideMerge(TestDatabase.layer()))

// Other suites share the server, and theirs may be the oldest for a while.
const patienceMs = 240_000

layer(Services)("a transaction that is forgotten", (it) => {
  it.effect(
    "is warned of once, and so is its end",
    () =>
      Effect.gen(function* () {
        const messages: Array<string> = []
        const listen = Logger.make(({ message }) => void messages.push(String(message)))
        const told = (pattern: RegExp) => messages.filter((message) => pattern.test(message)).length
        const sql = yield* SqlClient.SqlClient
        const horizon = yield* Horizon.make
        const look = Effect.provide(horizon.look, Logger.layer([listen]))
        const ageOnGauge = Effect.map(Metric.snapshot, (all) =>
          all.flatMap((one) => (one.id === "troupe_log_horizon_age_ms" ? [(one.state as { value: number }).value] : []))
        )

        const begun = yield* Deferred.make<string>()
        const enough = yield* Deferred.make<void>()
        const forgotten = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.gen(function* () {
              // The application's role has its idle transactions ended after seconds, which is what is not wanted here.
              yield* sql`SET LOCAL idle_in_transaction_session_timeout = 0`
              yield* sql`SET LOCAL transaction_timeout = 0`
              const [own] = yield* sql<{ readonly xid: string }>`SELECT pg_current_xact_id()::text AS xid`
              yield* Deferred.succeed(begun, own!.xid)
              yield* Deferred.await(enough)
            })
          )
        )
        const xid = yield* Deferred.await(begun)
        // Others use this server too: theirs may be older, and end soon.
        yield* look.pipe(Effect.repeat({ until: (held) => held?.xid === xid }))
        yield* TestClock.adjust(Horizon.alertAfterMs)
        yield* look
        assert.strictEqual(told(/has been writing/), 0)
        yield* TestClock.adjust(5_000)
        yield* look
        yield* look
        assert.strictEqual(yield* horizon.ageMs, 35_000)
        assert.deepStrictEqual(yield* ageOnGauge, [35_000])
        assert.strictEqual(told(/has been writing for 35 s/), 1)

        yield* Deferred.succeed(enough, undefined)
        yield* Fiber.join(forgotten)
        yield* look.pipe(Effect.repeat({ until: (held) => held?.xid !== xid }))
        assert.strictEqual(yield* horizon.ageMs, 0)
        assert.strictEqual(told(/has ended/), 1)
      }),
    patienceMs
  )
})
