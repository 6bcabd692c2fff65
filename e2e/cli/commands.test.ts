import { Troupe } from "@troupe/client"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { madeBy } from "../../packages/cli/src/session/agents.ts"
import { troupe as commandLine } from "../../packages/cli/src/commands/troupe.ts"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { inProcess } from "../support/inProcess.ts"
import { type Ended, type Running, until } from "../support/Running.ts"
import { Contract } from "./Contract.ts"

const long = 300_000

interface Named {
  readonly name: string
  readonly subcommands: ReadonlyArray<{ readonly commands: ReadonlyArray<Named> }>
}
const below = ({ subcommands }: Named) => subcommands.flatMap(({ commands }) => commands)

/** The words of a command line that name its command. */
const nameOf = (args: ReadonlyArray<string>): string => {
  const words: Array<string> = []
  let at: Named = commandLine
  for (const word of args) {
    const next = below(at).find(({ name }) => name === word)
    if (next === undefined) break
    words.push(word)
    at = next
  }
  return words.join(" ")
}

const leaves = (command: Named, path: ReadonlyArray<string> = []): ReadonlyArray<string> =>
  below(command).flatMap((one) =>
    below(one).length === 0 ? [[...path, one.name].join(" ")] : leaves(one, [...path, one.name])
  )

/** Commands that print what they print without --json too. */
const raw = ["runner"]
/** Commands that answer as another one does, whose way there is another suite's. */
const alike = ["mcp login", "turns approve"]

requires("postgres")("troupe, command by command,", () => {
  const troupe = new AllInOne()
  let client: Troupe
  let agent: string
  let second: Running | null = null

  const contract = new Contract(join(import.meta.dirname, "contract.json"))
  const ended = (args: ReadonlyArray<string>) => inProcess(args, { TROUPE_HOME: troupe.home, TROUPE_PORT: "0" })

  const read = (args: ReadonlyArray<string>, { code, stderr, stdout }: Ended, wanted = 0) => {
    assert.strictEqual(code, wanted, `troupe ${args.join(" ")}\n${stdout}${stderr}`)
    const all = stdout.split("\n").filter((line) => line !== "")
    const told = all.map((line) => JSON.parse(line))
    contract.see(nameOf(args), told)
    return told
  }
  const lines = async (args: ReadonlyArray<string>, code = 0) => read(args, await ended([...args, "--json"]), code)
  const json = async (...args: ReadonlyArray<string>) => (await lines(args))[0]

  beforeAll(async () => {
    // A model that costs something: a dollar for a thousand tokens.
    const price = { input: 1e9, output: 1e9, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
    const models = join(troupe.home, "models.json")
    writeFileSync(models, JSON.stringify({ providers: [], prices: { demo: price } }), { mode: 0o600 })
    const up = troupe.run(["up", "--json"])
    await up.says("login_url")
    contract.see("up", [JSON.parse(up.said.stdout)])
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
    const unasked = await ended(["turns", "approve", id, withdrawn!])
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
    const shown = await json("mcp", "show", "ours")
    assert.deepInclude(shown, { name: "ours", server })
    assert.notInclude(JSON.stringify(shown), "hush")
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

  it("says for programs why something is refused", { timeout: long }, async () => {
    const refusal = async (code: number, ...args: ReadonlyArray<string>) => {
      const { stderr, ...rest } = await ended([...args, "--json"])
      assert.deepStrictEqual(rest, { code, stdout: "" }, stderr)
      const { error } = JSON.parse(stderr.trim().split("\n").at(-1)!)
      assert.hasAllKeys(error, ["type", "message", "advice", "request_id"])
      assert.isNotEmpty(error.message)
      return [error.type, typeof error.advice, typeof error.request_id]
    }
    const gone = "sesn_011ChGjDFBsaMTcGybSQ6fEC"
    assert.deepStrictEqual(await refusal(4, "sessions", "show", gone), ["not_found_error", "object", "string"])
    assert.deepStrictEqual(await refusal(4, "sessions", "show", "sesn_1"), ["refused_error", "string", "object"])
    assert.deepStrictEqual(await refusal(4, "agents", "show", "Nobody"), ["refused_error", "string", "object"])
    assert.deepStrictEqual(await refusal(2, "sesions"), ["usage_error", "string", "object"])
    assert.deepStrictEqual(await refusal(2, "attach"), ["usage_error", "string", "object"])
    for (const args of [["up"], ["up", "-d"]]) {
      assert.strictEqual((await refusal(3, ...args))[0], "home_locked_error", args.join(" "))
    }
  })

  it("prints for programs what its contract says, command by command", { timeout: long }, async () => {
    const { session: id } = await json("run", "--yes", "write file notes one")
    const talk = ["--yes", "say: one"]
    const words = (from: string) => ["sh", "-c", `printf '${from}' | "$@"`, "sh"] as const
    const [chat, attach] = await Promise.all([
      troupe.behind(words(""), ["chat", ...talk, "--json"]).end(),
      troupe.behind(words("say: two\\n"), ["attach", id, "--json"]).end()
    ])
    read(["chat"], chat)
    read(["attach"], attach)

    await json("sessions", "list")
    await json("sessions", "show", id)
    await json("sessions", "log", id)
    await json("sessions", "changes", id)
    await json("sessions", "download", id, "notes", "--to", join(troupe.home, "notes"))
    const fork = (await json("sessions", "fork", id)).id
    await json("sessions", "send", fork, "run: sleep 600")
    await json("sessions", "stop", fork)
    await client.session(fork).until("idle")
    await json("sessions", "archive", fork)
    await json("sessions", "delete", fork, "--yes")
    await json("turns", "list", id)

    const asks = await troupe.makeAgent("Careful", "always_ask")
    await lines(["run", "--agent", asks, "& run: echo one\n& run: echo two"], 5)
    // The inbox is read from tables that are filled from the log, a moment later.
    await until("both are in the inbox", async () => (await lines(["approvals", "list"])).length === 2)
    const [first, second] = await lines(["approvals", "list"])
    await json("approvals", "deny", first.id)
    await json("approvals", "allow", second.id)

    const keeps = await client.agents.create({ name: "Keeps", model: "demo", troupe: { keep_model_requests: true } })
    const kept = (await json("run", "--agent", keeps.id, "say: kept")).session
    for await (const { payload, type } of client.session(kept).log()) {
      if (type === "ModelRequestStarted") await json("replay", "request", kept, String(payload!["requestId"]))
    }
    await json("replay", "show", id)
    await json("replay", "state", id)
    await json("replay", "diff", id, "1", "3")
    await json("replay", "why", id, "3")
    await json("replay", "export", id, "--to", join(troupe.home, "bundle"))
    await json("replay", "redact", id, "2", "--reason", "asked for", "--yes")

    const { id: file } = await json("files", "upload", join(troupe.home, "notes"))
    await json("files", "list")
    await json("files", "promote", id, "notes")
    await json("files", "download", file, "--to", join(troupe.home, "again"))
    await json("files", "delete", file, "--yes")

    await json("agents", "list")
    await json("agents", "show", "Worker")
    const spec = join(troupe.home, "agent.json")
    writeFileSync(spec, JSON.stringify({ ...(await json("agents", "export", "Worker")), system: "Work." }))
    await lines(["agents", "diff", spec], 1)
    await json("agents", "apply", spec)
    await json("environments", "list")
    await json("environments", "show", "default")
    await json("models", "list")
    await json("mcp", "list")
    await json("mcp", "logout", "ours")
    await json("policies", "show")
    await json("policies", "presets", "list")
    await json("policies", "try", "bash", "--input", '{"command":"ls"}')
    await json("runners", "list")
    const key = await json("keys", "create", "For a program")
    await json("keys", "list")
    await json("keys", "revoke", key.id)
    await json("usage", "--by", "day", "--by", "model", "--by", "agent", "--by", "session")
    await json("status")
    await json("doctor")
    await json("contexts", "add", "work", troupe.url, "--key-file", join(troupe.home, "api_key"))
    await json("contexts", "list")
    await json("contexts", "use", "work")
    await json("contexts", "remove", "work")
    await json("stop", "--now")

    assert.deepStrictEqual(
      leaves(commandLine).filter((name) => ![...contract.commands, ...raw, ...alike].includes(name)),
      []
    )
    if (process.env["TROUPE_WRITE_CONTRACT"] === "1") contract.write()
    assert.deepStrictEqual(contract.differences(), [], "TROUPE_WRITE_CONTRACT=1 takes up what is meant to be so")
  })
})
