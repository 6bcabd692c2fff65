import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startWords } from "../../src/app/NameConfig.ts"
import { database, models, running, sandbox } from "../../src/doctor/system.ts"
import { load } from "../../src/up/UpConfig.ts"
import type { Standing } from "../../src/up/standing.ts"

const nothing: Standing = {
  home: "/home/me/.troupe",
  supervisor: null,
  node: null,
  runner: null,
  url: null,
  readiness: { _tag: "Silent" },
  abilities: null
}
const given = (environment: NodeJS.ProcessEnv) => load({ TROUPE_HOME: "/home/me/.troupe", ...environment })

describe("The doctor, of what runs here,", () => {
  it.effect("says that a database can't be reached, without the password to it", () =>
    Effect.gen(function* () {
      // Nothing of ours ever listens at port 1.
      const found = yield* database(given({ DATABASE_URL: "postgres://me:secret@127.0.0.1:1/troupe" }), nothing)
      assert.deepStrictEqual(found, {
        check: "database",
        state: "bad",
        found: "127.0.0.1:1 can't be reached: nothing listens there",
        advice: "Start it, or correct DATABASE_URL."
      })
    })
  )

  it.effect("says that the embedded database does not answer the node", () =>
    Effect.gen(function* () {
      const found = yield* database(given({}), { ...nothing, readiness: { _tag: "Unready", reason: "database" } })
      assert.deepInclude(found, { state: "bad", advice: "Look at logs/postgres.log in the home." })
    })
  )

  it("says that nothing runs, and how it is started", () => {
    const [ready, runner] = running(nothing)
    assert.deepInclude(ready, { state: "warn", advice: startWords })
    assert.deepInclude(runner, { state: "warn", found: "it does not run" })
    assert.strictEqual(sandbox(nothing).found, "no runner has tried yet")
    assert.include(models(nothing).advice, startWords)
  })
})
