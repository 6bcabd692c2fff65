import { Troupe } from "@troupe/client"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { buildConsole } from "../../scripts/console.mjs"
import { requires } from "../../test/requires.ts"
import { Visitor } from "../console/Visitor.ts"
import { AllInOne, lives } from "../support/AllInOne.ts"
import { OpenAiServer } from "../support/OpenAiServer.ts"
import { type Running, until } from "../support/Running.ts"

const long = 180_000
const key = "sk-a-key-that-is-for-the-runner-alone"

const environmentOf = (pid: number | null) => readFileSync(`/proc/${pid}/environ`, "utf8")

requires("postgres", "chromium")("troupe up", () => {
  const troupe = new AllInOne()
  let up: Running

  let openai: OpenAiServer

  beforeAll(async () => {
    const built = buildConsole()
    assert.isTrue(built?.ok ?? true, built?.output)
    openai = await OpenAiServer.start(["gpt-5"])
    up = await troupe.up()
  }, long)
  afterAll(async () => {
    await troupe.remove()
    openai.stop()
  }, long)

  it("says where it is, what it can do and what to type next", () => {
    assert.match(up.said.stdout, /url +http:\/\/127\.0\.0\.1:\d+/)
    assert.include(up.said.stdout, join(troupe.home, "api_key"))
    assert.notInclude(up.all, troupe.key)
    assert.match(up.said.stdout, /sandbox +\w+/)
    assert.match(up.said.stdout, /models +demo, which works without a key/)
    assert.include(up.said.stdout, "troupe run")
    assert.strictEqual(statSync(join(troupe.home, "api_key")).mode & 0o777, 0o600)
  })

  it("lets a browser in by the very link that it printed", { timeout: long }, async () => {
    const visitor = await Visitor.come()
    try {
      const { page } = visitor
      await page.goto(/console +(\S+)/.exec(up.said.stdout)![1]!)
      await page.getByText("No sessions yet").waitFor()
      assert.match(page.url(), /\/w\/wrkspc_\w+\/sessions$/)
      // A browser would install it, were this no private window.
      const browser = await page.context().newCDPSession(page)
      const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors")
      assert.deepStrictEqual(
        installabilityErrors.map(({ errorId }) => errorId),
        ["in-incognito"]
      )
      assert.deepStrictEqual(visitor.complaints, [])
    } finally {
      await visitor.leave()
    }
  })

  it("has an agent to begin with, and an environment for it to work in", { timeout: long }, async () => {
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const [agents, environments] = [await client.agents.list(), await client.environments.list()]
    assert.deepStrictEqual(
      agents.data.map(({ model, name }) => [name, model.id]),
      [["Assistant", "demo"]]
    )
    assert.deepStrictEqual(
      environments.data.map(({ name }) => name),
      ["default"]
    )
    assert.strictEqual((await client.settings.retrieve()).default_environment_id, environments.data[0]!.id)
  })

  it("is refused where it runs already, and says where", { timeout: long }, async () => {
    const { code, stderr } = await troupe.ended(["up"])
    assert.strictEqual(code, 3)
    assert.include(stderr, `process ${up.child.pid}`)
    assert.match(stderr, /http:\/\/127\.0\.0\.1:\d+/)
  })

  it("keeps a node that is started by itself out of its home", { timeout: long }, async () => {
    const { code, stderr, stdout } = await troupe.program("packages/server/src/main.ts").end()
    assert.strictEqual(code, 1)
    assert.include(stdout + stderr, `is in use by process ${up.child.pid}`)
  })

  it("answers troupe status and troupe doctor", { timeout: long }, async () => {
    const status = await troupe.ended(["status", "--json"])
    assert.strictEqual(status.code, 0, status.stdout)
    const { node, runner } = troupe.pids()
    assert.deepInclude(JSON.parse(status.stdout), { ready: true, pids: { up: up.child.pid, node, runner } })
    const doctor = await troupe.ended(["doctor", "--json"])
    assert.strictEqual(doctor.code, 0, doctor.stdout)
    const { configuration, findings } = JSON.parse(doctor.stdout) as {
      configuration: ReadonlyArray<{ name: string; value: string | null; source: string }>
      findings: ReadonlyArray<{ check: string }>
    }
    assert.deepInclude(
      configuration.find(({ name }) => name === "TROUPE_PORT"),
      { value: "0", source: "environment" }
    )
    for (const check of ["home", "disk", "clock", "database", "port", "ready", "runner", "sandbox", "models"]) {
      assert.include(
        findings.map((finding) => finding.check),
        check
      )
    }
    const told = await troupe.ended(["doctor"], { OPENAI_API_KEY: key })
    assert.match(told.stdout, /^VARIABLE +VALUE +FROM +WHAT IT IS\n[^]*\nOPENAI_API_KEY +set +environment +.*\n/)
    assert.match(told.stdout, /\nTROUPE_LOG +info +default +.*\n[^]*\n\nok +home /)
    assert.notInclude(told.stdout + told.stderr, key)
  })

  for (const part of ["node", "runner", "postgres"] as const) {
    it(`starts ${part} again when it is killed, and touches no other`, { timeout: long }, async () => {
      const before = troupe.pids()
      process.kill(before[part]!, "SIGKILL")
      const pid = await troupe.replaced(part, before[part]!)
      assert.deepStrictEqual(troupe.pids(), { ...before, [part]: pid })
      await up.says(`${part} is started again (process ${pid})`)
    })
  }

  it("is taken over by the next start when it was killed", { timeout: long }, async () => {
    const before = troupe.pids()
    up.child.kill("SIGKILL")
    await up.end()
    assert.deepStrictEqual(troupe.pids(), before)
    const status = await troupe.ended(["status"])
    assert.strictEqual(status.code, 1)
    assert.include(status.stdout, "start it again with troupe up")
    up = await troupe.up()
    assert.deepStrictEqual(troupe.pids(), before)
    process.kill(before.node!, "SIGKILL")
    await troupe.replaced("node", before.node!)
  })

  it("gives a new key to the runner alone, and in no environment", { timeout: long }, async () => {
    assert.strictEqual((await troupe.ended(["run", "--yes", "run: echo $((1 + 2))"])).code, 0)
    const before = troupe.pids()
    up.child.kill("SIGKILL")
    await up.end()
    up = await troupe.up({ OPENAI_API_KEY: key, OPENAI_BASE_URL: openai.url, A_SECRET_OF_MINE: "mine" })
    assert.match(up.said.stdout, /models +demo, openai\n/)
    const { node, postgres, runner } = troupe.pids()
    assert.deepStrictEqual({ node, postgres }, { node: before.node, postgres: before.postgres })
    assert.isFalse(lives(before.runner!))
    for (const pid of [node, postgres, runner]) {
      assert.notInclude(environmentOf(pid), key)
      assert.notInclude(environmentOf(pid), "A_SECRET_OF_MINE")
    }
    const token = readFileSync(join(troupe.home, "runner/registration-token"), "utf8").trim()
    const apiKey = readFileSync(join(troupe.home, "api_key"), "utf8").trim()
    for (const log of ["node", "runner", "postgres"].map((name) => troupe.log(name))) {
      for (const secret of [key, token, apiKey]) assert.notInclude(log, secret)
    }
  })

  it("works with the model of that key from then on, in sessions that begin", { timeout: long }, async () => {
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const { data } = await client.agents.list()
    assert.deepStrictEqual(
      data.map(({ model, name }) => [name, model.id]),
      [["Assistant", "gpt-5"]]
    )
    // The last one began with the demo model, and stays with it.
    assert.include((await troupe.ended(["run", "--continue", "run: echo $((40 + 2))"])).stdout, "42")
    assert.deepStrictEqual(openai.asked, [])
    const { code, stderr, stdout } = await troupe.ended(["run", "--yes", "run: echo $((50 + 2))"])
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout, "52")
    assert.deepStrictEqual(openai.asked[0], { model: "gpt-5", authorization: `Bearer ${key}` })
  })

  it("stops in order at Ctrl-C, and leaves nothing: turns that go on may end first", { timeout: long }, async () => {
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const session = await client.open({ agent: await troupe.makeAgent("Worker", "always_allow"), title: "Sums" })
    await session.send("run: until [ -e go ]; do sleep 0.1; done\nrun: echo $((50 + 5))")
    for await (const { type } of session.followLog()) if (type === "ToolStarted") break
    up.child.kill("SIGINT")
    await up.says(`1 session is at work: Sums (${session.id}).\nTurns that end within 30 s are waited for`)
    await up.says("Stopping runner")
    await until("the session has a place, and what its command waits for is there", () =>
      client.sessions.files.write(session.id, "go", "").then(
        () => true,
        () => false
      )
    )
    const { code, stderr } = await up.end()
    assert.strictEqual(code, 0, stderr)
    const order = ["Stopping runner", "Stopping node", "Stopping postgres", "Stopped."]
    assert.deepStrictEqual(
      order.toSorted((one, other) => stderr.indexOf(one) - stderr.indexOf(other)),
      order
    )
    assert.deepStrictEqual(troupe.pids(), { node: null, runner: null, postgres: null })
    assert.include(troupe.log("postgres"), "database system is shut down")
    assert.strictEqual((await troupe.ended(["status"])).code, 3)

    up = await troupe.up()
    const log: Array<string> = []
    for await (const { type } of new Troupe({ baseURL: troupe.url, apiKey: troupe.key }).session(session.id).log()) {
      log.push(type)
    }
    const of = (wanted: string) => log.filter((type) => type === wanted).length
    assert.deepStrictEqual([of("AttemptStarted"), of("ToolFinished"), of("TurnCompleted")], [1, 2, 1])
  })

  it("ends at once at the second Ctrl-C, and starts well after it", { timeout: long }, async () => {
    const before = troupe.pids()
    // At once, before the first has its effect, and of two kinds: two of one kind that wait may be heard as one.
    up.child.kill("SIGINT")
    up.child.kill("SIGTERM")
    const { code } = await up.end()
    assert.strictEqual(code, 130)
    await until("all have ended", () => Object.values(before).every((pid) => !lives(pid!)))
    up = await troupe.up()
  })

  it("can be stopped where it was killed itself", { timeout: long }, async () => {
    up.child.kill("SIGKILL")
    await up.end()
    const { code, stderr } = await troupe.ended(["stop"])
    assert.strictEqual(code, 0)
    assert.include(stderr, "Stopped what was left")
    assert.deepStrictEqual(troupe.pids(), { node: null, runner: null, postgres: null })
  })
})
