import { Troupe } from "@troupe/client"
import { Effect, Exit, Redacted, Scope } from "effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { inProcess } from "../support/inProcess.ts"
import { OpenAiServer } from "../support/OpenAiServer.ts"
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
    for (const home of ["/proc/troupe", file, join(file, "below")]) {
      const { code, stderr } = await inProcess(["up"], { TROUPE_HOME: home })
      assert.strictEqual(code, 4, stderr)
      assert.include(stderr, home)
      assert.include(stderr, "set TROUPE_HOME to another directory")
      assert.strictEqual(stderr.includes("there is a file in the way.\nMove it away"), home.startsWith(file), stderr)
    }
  })

  it("where it is told what can't be used", { timeout: long }, async () => {
    const cases = [
      [{ TROUPE_PORT: "many" }, "TROUPE_PORT"],
      [{ TROUPE_API_KEY: "short" }, "TROUPE_API_KEY"],
      [{ DATABASE_URL: "mysql://root:secret@host/db" }, "DATABASE_URL"]
    ] as const
    for (const [environment, says] of cases) {
      const { code, stderr } = await inProcess(["up"], { TROUPE_HOME: troupe.home, ...environment })
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

  it("uses a key that is there at the first start, at once", { timeout: long }, async () => {
    const openai = await OpenAiServer.start(["gpt-5-mini", "gpt-5"])
    const key = "sk-from-the-first-start-on"
    const up = await troupe.up({ OPENAI_API_KEY: key, OPENAI_BASE_URL: openai.url })
    assert.match(up.said.stdout, /models +demo, openai\n/)
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const agent = (await client.agents.list()).data[0]!
    assert.deepStrictEqual([agent.name, agent.model.id, agent.version], ["Assistant", "gpt-5", 1])
    const session = await client.open({ agent: agent.id })
    await session.send("run: echo $((40 + 2))")
    await session.until("idle")
    const said: Array<unknown> = []
    for await (const event of session.events()) if (event.type === "agent.message") said.push(event.content)
    assert.include(JSON.stringify(said), "42")
    const asked = { model: "gpt-5", authorization: `Bearer ${key}` }
    assert.isAtLeast(openai.asked.length, 2)
    for (const one of openai.asked) assert.deepStrictEqual(one, asked)
    openai.stop()
  })

  it("runs in the background, and stops there", { timeout: 2 * long }, async () => {
    const shown = async () => {
      const up = troupe.terminal(["up", "-d"], { columns: 120, rows: 40 })
      assert.strictEqual(await up.ended(), 0)
      return up.running.said.stdout
    }
    const first = await shown()
    assert.match(first, /url +http/)
    // How far it is, in a line that is gone once it is there.
    assert.match(first.replaceAll("\r\u001B[K", "⌫"), /⌫[█░]{24} \d+ s, [\w ]+⌫/)
    // Whoever has had the key made is shown it, once; no log is.
    assert.match(first, new RegExp(`key +${join(troupe.home, "api_key")}\\r?\\n +${troupe.key}\\r?\\n`))
    assert.notInclude(troupe.log("up"), troupe.key)
    assert.isTrue(await troupe.ready())
    assert.strictEqual((await troupe.ended(["up", "-d"])).code, 3)
    assert.strictEqual((await troupe.ended(["stop"])).code, 0)
    assert.deepStrictEqual(troupe.pids(), nothing)
    assert.include((await troupe.ended(["stop"])).stderr, "Nothing runs")
    const second = await shown()
    assert.include(second, join(troupe.home, "api_key"))
    assert.notInclude(second, troupe.key)
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const session = await client.open({ agent: await troupe.makeAgent("Worker", "always_allow") })
    await session.send("run: sleep 600")
    for await (const { type } of session.followLog()) if (type === "ToolStarted") break
    // It says what it waits for, and need not wait.
    const stop = troupe.terminal(["stop"], { columns: 120, rows: 40 })
    await stop.shows(`1 session is at work: ${session.id}.\nTurns that end within 30 s`)
    await stop.shows(/█* *░+ \d+ s, the runner ends what is at work/)
    stop.type("\u0003")
    assert.strictEqual(await stop.ended(), 0)
    assert.include(stop.screen, "\nStopped.")
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
})
