import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Troupe } from "@troupe/client"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Copy, copiesOf, sessionsAsked } from "../packages/console/src/app/copies.logic.ts"
import { copies } from "../packages/console/src/session/copies.logic.ts"
import { apiKey } from "../packages/server/test/support/apiKey.ts"
import { requires } from "../test/requires.ts"
import { System } from "./support/System.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const long = 180_000

const run = async (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const options = { cwd: root, env: { ...process.env, ...env }, timeout: long }
  return (await promisify(execFile)(command, args, options)).stdout
}

describe("the examples of the README", () => {
  it.each(["session.ts", "verify-bundle.ts"])("%s stands there as it is", (name) => {
    const source = readFileSync(`${root}examples/${name}`, "utf8")
    assert.include(readFileSync(`${root}README.md`, "utf8"), source.trimEnd())
  })

  it("verify-bundle.ts finds the bundle of a release unchanged", async () => {
    assert.strictEqual(await run(process.execPath, ["examples/verify-bundle.ts"]), "Nothing was changed.\n")
  })
})

requires(
  "postgres",
  "bubblewrap",
  "root"
)("one session from end to end", () => {
  let system: System

  beforeAll(async () => {
    system = await System.make(14)
    await system.node()
    system.runner()
  }, long)
  afterAll(() => system.end(), 60_000)

  /** Runs an example, and looks for what the agent's command printed. */
  const works = async (command: string, ...args: ReadonlyArray<string>) => {
    const env = { TROUPE_SERVER_URL: system.nodes[0]!.gateway, TROUPE_API_KEY: apiKey }
    const said = await run(command, args, env)
    assert.include(said, "Done")
    assert.include(said, "42")
  }

  it.each(["session.ts", "anthropic-sdk.ts", "rpc.ts"])("works in %s", { timeout: long }, async (name) => {
    await works(process.execPath, `examples/${name}`)
  })

  /** What the console copies, as somebody pastes it with a key in the shell: what it prints until it has said enough, or ends. */
  const pasted = async ({ text, title }: Copy, wanted: string): Promise<string> => {
    // A group of its own, so that what a shell starts ends with it.
    const options = { cwd: root, env: { ...process.env, TROUPE_API_KEY: apiKey }, detached: true }
    const child =
      title === "TypeScript"
        ? spawn(process.execPath, ["--input-type=module-typescript", "--eval", text], options)
        : spawn("sh", ["-c", text], options)
    const ended = once(child, "close")
    let said = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (some: string) => {
        const isEnough = said.includes(wanted)
        said += some
        if (!isEnough && said.includes(wanted) && child.exitCode === null) process.kill(-child.pid!)
      })
    }
    await ended
    return said
  }

  it("is in what the console copies: programs, curl and command lines", { timeout: long }, async () => {
    const origin = system.nodes[0]!.gateway
    const troupe = new Troupe({ baseURL: origin, apiKey })
    const agent = await troupe.agents.create({ name: "copied", model: "demo" })
    const session = await troupe.open({ agent: agent.id })
    const asked = sessionsAsked({ "statuses[]": ["running", "idle"], agent_id: agent.id })
    for (const copy of copiesOf(asked, origin)) assert.include(await pasted(copy, session.id), session.id, copy.text)
    for (const copy of copies(session.id, origin)) {
      if (copy.title !== "TypeScript" && copy.title !== "curl") continue
      const wanted = copy.title === "curl" ? "SessionOpened" : "1 SessionOpened"
      assert.include(await pasted(copy, wanted), wanted, copy.text)
    }
  })

  requires("deno")("on Deno", () => {
    it("works in deno/session.ts", { timeout: long }, async () => {
      const allowed = ["--allow-net", "--allow-env"]
      await works("deno", "run", "--no-lock", "--node-modules-dir=manual", ...allowed, "examples/deno/session.ts")
    })
  })

  requires("jq")("in a shell", () => {
    it("works in session.sh", { timeout: long }, async () => {
      await works("sh", "examples/session.sh")
    })
  })
})
