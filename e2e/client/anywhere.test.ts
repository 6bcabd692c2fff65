import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { rolldown } from "rolldown"
import { afterAll, assert, beforeAll, it } from "vitest"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { requires } from "../../test/requires.ts"
import { System } from "../support/System.ts"
import { Browser, Page } from "./Page.ts"

const long = 180_000
const root = join(import.meta.dirname, "../..")

/** What the program says wherever it runs. */
const said = [
  "agent anywhere at version 1",
  "text hello from here",
  /^text This is the demo model/,
  "idle because of end_turn",
  "turn completed",
  "all of the log",
  "request ids req_",
  "NotFoundError 404 not_found_error"
]

const check = (output: string) => {
  const lines = output.trim().split("\n")
  for (const expected of said) {
    const found = lines.some((line) => (typeof expected === "string" ? line === expected : expected.test(line)))
    assert.isTrue(found, `${expected} in:\n${output}`)
  }
}

requires(
  "postgres",
  "bubblewrap",
  "root"
)("one program that uses the client", () => {
  let system: System

  beforeAll(async () => {
    system = await System.make(13)
    await system.node()
    system.runner()
  }, long)
  afterAll(() => system.end(), 60_000)

  const run = async (command: string, ...args: ReadonlyArray<string>) => {
    const env = { ...process.env, TROUPE_SERVER_URL: system.nodes[0]!.gateway, TROUPE_API_KEY: apiKey }
    const file = join(import.meta.dirname, "anywhere-main.ts")
    const { stdout } = await promisify(execFile)(command, [...args, file], { cwd: root, env, timeout: long })
    return stdout
  }

  it("does the same on Node", { timeout: long }, async () => {
    check(await run(process.execPath))
  })

  requires("deno")("on Deno", () => {
    it("does the same", { timeout: long }, async () => {
      check(await run("deno", "run", "--no-lock", "--node-modules-dir=manual", "--allow-net", "--allow-env"))
    })
  })

  requires("bun")("on Bun", () => {
    it("does the same", { timeout: long }, async () => {
      check(await run("bun", "run", "--no-install"))
    })
  })

  requires("chromium")("in a browser", () => {
    it("does the same", { timeout: long }, async () => {
      const bundle = await rolldown({ input: join(import.meta.dirname, "browser-main.ts"), platform: "browser" })
      const { output } = await bundle.generate({ format: "es", entryFileNames: "script.js" })
      const scripts = new Map(output.flatMap((one) => (one.type === "chunk" ? [[`/${one.fileName}`, one.code]] : [])))
      const page = new Page({ node: system.nodes[0]!.gateway, scripts, settings: { apiKey } })
      const browser = new Browser(await page.listen())
      try {
        check(await page.said)
      } finally {
        await browser.close()
        await page.close()
      }
    })
  })
})
