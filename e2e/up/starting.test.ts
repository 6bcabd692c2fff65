import { Effect, Exit, Redacted, Scope } from "effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { until } from "../support/Running.ts"

const long = 180_000
const nothing = { node: null, runner: null, postgres: null }

describe("troupe up does not start, and says why and what to do,", () => {
  let troupe: AllInOne
  beforeEach(() => {
    troupe = new AllInOne()
  })
  afterEach(() => troupe.remove(), long)

  it("where the home can't be written to", { timeout: long }, async () => {
    const file = join(troupe.home, "file")
    writeFileSync(file, "")
    for (const home of ["/proc/troupe", join(file, "below")]) {
      const { code, stderr } = await troupe.ended(["up"], { TROUPE_HOME: home })
      assert.strictEqual(code, 4, stderr)
      assert.include(stderr, home)
      assert.include(stderr, "set TROUPE_HOME to another directory")
    }
  })

  it("where it is told what can't be used", { timeout: long }, async () => {
    const cases = [
      [{ TROUPE_PORT: "many" }, "TROUPE_PORT"],
      [{ TROUPE_API_KEY: "short" }, "TROUPE_API_KEY"],
      [{ DATABASE_URL: "mysql://root:secret@host/db" }, "DATABASE_URL"]
    ] as const
    for (const [environment, says] of cases) {
      const { code, stderr } = await troupe.ended(["up"], environment)
      assert.strictEqual(code, 2, stderr)
      assert.include(stderr, says)
      assert.notInclude(stderr, "secret")
    }
    writeFileSync(join(troupe.home, "config.json"), `{"TROUPE_API_KEY": sk-secret}`)
    const { code, stderr } = await troupe.ended(["up"])
    assert.strictEqual(code, 2)
    assert.include(stderr, "config.json can't be used: it is no JSON")
  })
})

requires("postgres")("troupe up", () => {
  let troupe: AllInOne
  beforeEach(() => {
    troupe = new AllInOne()
  })
  afterEach(() => troupe.remove(), long)

  it("gives up a start whose part can't run, with the end of its log", { timeout: long }, async () => {
    writeFileSync(join(troupe.home, "models.json"), "{", { mode: 0o600 })
    const { code, stderr } = await troupe.ended(["up"])
    assert.strictEqual(code, 1)
    assert.include(stderr, "Troupe did not start: runner ended with code 2")
    assert.include(stderr, "models.json can't be used: it is no JSON")
    assert.deepStrictEqual(troupe.pids(), nothing)
  })

  it("runs in the background, and stops there", { timeout: long }, async () => {
    const { code, stdout } = await troupe.ended(["up", "-d"])
    assert.strictEqual(code, 0)
    assert.match(stdout, /url +http/)
    assert.isTrue(await troupe.ready())
    assert.strictEqual((await troupe.ended(["up", "-d"])).code, 3)
    assert.strictEqual((await troupe.ended(["stop"])).code, 0)
    assert.deepStrictEqual(troupe.pids(), nothing)
    assert.include((await troupe.ended(["stop"])).stderr, "Nothing runs")
  })

  it("can be stopped where it was killed itself", { timeout: long }, async () => {
    const up = await troupe.up()
    up.child.kill("SIGKILL")
    await up.end()
    const { code, stderr } = await troupe.ended(["stop"])
    assert.strictEqual(code, 0)
    assert.include(stderr, "Stopped what was left")
    assert.deepStrictEqual(troupe.pids(), nothing)
  })

  it("uses the database that DATABASE_URL names", { timeout: long }, async () => {
    const scope = Scope.makeUnsafe()
    const database = await Effect.runPromise(Scope.provide(TestDatabase.make(), scope))
    const up = await troupe.up({
      DATABASE_URL: Redacted.value(database.appUrl),
      DATABASE_OWNER_URL: Redacted.value(database.ownerUrl)
    })
    assert.isFalse(existsSync(join(troupe.home, "postgres")))
    assert.match(readdirSync(troupe.home).join(" "), /runner-[0-9a-f]{12}/)
    assert.isTrue(await troupe.ready())
    up.child.kill("SIGTERM")
    assert.strictEqual((await up.end()).code, 0)
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it("is what npm start runs", { timeout: long }, async () => {
    const npm = troupe.npm(["start"])
    await npm.says("Ctrl-C stops it.")
    npm.child.kill("SIGINT")
    await until("all have ended", () => Object.values(troupe.pids()).every((pid) => pid === null))
    await npm.end()
    assert.include(npm.said.stderr, "Stopped.")
  })

  it("keeps a node that is started by itself out of its home", { timeout: long }, async () => {
    const up = await troupe.up()
    const node = troupe.program("packages/server/src/main.ts")
    const { code, stderr, stdout } = await node.end()
    assert.strictEqual(code, 1)
    assert.include(stdout + stderr, `is in use by process ${up.child.pid}`)
  })
})
