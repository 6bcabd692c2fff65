import { Troupe } from "@troupe/client"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { madeBy } from "../../packages/cli/src/session/agents.ts"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { type Running, until } from "../support/Running.ts"

const long = 300_000

requires("postgres")("troupe, command by command,", () => {
  const troupe = new AllInOne()
  let client: Troupe
  let agent: string
  let second: Running | null = null

  const lines = async (args: ReadonlyArray<string>, code = 0) => {
    const ended = await troupe.ended([...args, "--json"])
    assert.strictEqual(ended.code, code, `troupe ${args.join(" ")}\n${ended.stdout}${ended.stderr}`)
    return ended.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  }
  const json = async (...args: ReadonlyArray<string>) => (await lines(args))[0]

  beforeAll(async () => {
    // A model that costs something: a dollar for a thousand tokens.
    const price = { input: 1e9, output: 1e9, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
    const models = join(troupe.home, "models.json")
    writeFileSync(models, JSON.stringify({ providers: [], prices: { demo: price } }), { mode: 0o600 })
    await troupe.up()
    client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    agent = await troupe.makeAgent("Worker", "always_allow")
  }, long)
  afterAll(async () => {
    second?.child.kill("SIGKILL")
    await troupe.remove()
  }, long)

  it("steers, withdraws and retries turns, and approves none that needs no approval", { timeout: long }, async () => {
    const { id } = await client.open({ agent })
    const session = client.session(id)
    for (const message of ["run: sleep 600", "say: joined", "say: never said"]) await session.send(message)
    const [queue] = await client.sessions.turns.queues(id)
    const [steered, withdrawn] = queue!.data.map((turn) => turn.id)
    const left = await json("turns", "steer", id, steered!)
    assert.deepStrictEqual([left.current, left.data.length, left.data[0].id], [queue!.current, 1, withdrawn])
    const unasked = await troupe.ended(["turns", "approve", id, withdrawn!])
    assert.deepStrictEqual([unasked.code, unasked.stdout], [4, ""])
    assert.include(unasked.stderr, "needs no approval")
    assert.deepStrictEqual((await json("turns", "withdraw", id, withdrawn!)).data, [])
    await session.interrupt()

    const [failed] = await lines(["run", "fail"], 1)
    const last = async () => (await client.sessions.turns.list(failed.session)).data[0]!
    const before = await last()
    assert.strictEqual(before.status, "failed")
    assert.strictEqual((await json("turns", "retry", failed.session, before.id)).type, "turn_queue")
    await until("it has failed once more", async () => ((await last()).ended_seq ?? 0) > before.ended_seq!)
  })

  it("says by its exit code that a budget is used up, and in a chat what was spent", { timeout: long }, async () => {
    const budget = { type: "limit", max_list_cost: { amount: "1", currency: "USD" } } as const
    // As one that this command has made, so that it goes on with it.
    await client.open({ agent, budget, metadata: { made_by: madeBy } })
    const [limited] = await lines(["run", "--continue", "run: true\nrun: true\nsay: over"], 6)
    assert.strictEqual(limited.outcome, "budgetreached")
    const whole = await json("replay", "verify", limited.session)
    const alone = await json("replay", "verify", limited.session, "--level", "0")
    assert.deepStrictEqual([whole.ok, alone.ok, alone.decisions], [true, true, null])
    assert.strictEqual(alone.chain.checked, whole.chain.checked)
    const chat = troupe.terminal(["chat", "--yes", "say: what it costs"], { columns: 120, rows: 24 })
    await chat.shows(/Assistant · demo · sesn_\w+ · \d+ in, \d+ out · \$(?!0\.00)\d+\.\d\d/)
    chat.type("\u0004")
    assert.strictEqual(await chat.ended(), 0)
  })

  it("shows an MCP server, and not what its headers say", { timeout: long }, async () => {
    const server = { type: "url", url: "https://mcp.example.com" } as const
    await client.mcpServers.create({ name: "ours", server, headers: { authorization: "Bearer hush" } })
    const { code, stdout } = await troupe.ended(["mcp", "show", "ours"])
    assert.strictEqual(code, 0)
    assert.deepInclude(JSON.parse(stdout), { name: "ours", server })
    assert.notInclude(stdout, "hush")
  })

  it("lets a runner in by a token, and cuts it off", { timeout: long }, async () => {
    const made = await json("runners", "token", "For another", "--label", "spare")
    const listed = (await lines(["runners", "tokens"])).find(({ id }) => id === made.id)
    assert.deepInclude(listed, { name: "For another", labels: ["spare"] })
    assert.notInclude(JSON.stringify(listed), made.secret)
    const file = join(troupe.home, "token")
    writeFileSync(file, made.secret, { mode: 0o600 })
    const state = join(troupe.home, "second")
    second = troupe.run(["runner", "--server", troupe.url, "--token-file", file, "--name", "second", "--state", state])
    const found = async () => (await client.runners.list()).data.find(({ name }) => name === "second")
    await until("it is connected", async () => (await found())?.status === "connected", long)
    const { id } = (await found())!
    assert.deepStrictEqual(await json("runners", "revoke", "second", "--yes"), { id, type: "runner_revoked" })
    await until("it is cut off", async () => (await found())?.status === "revoked", long)
  })
})
