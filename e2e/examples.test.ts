import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
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
