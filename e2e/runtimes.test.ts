import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { requires } from "../test/requires.ts"

/** Programs that must print the same on every runtime we name. */
const entries = ["domain"]

const root = fileURLToPath(new URL("..", import.meta.url))

const run = async (command: string, args: ReadonlyArray<string>, entry: string) => {
  const file = fileURLToPath(new URL(`./runtimes/${entry}.ts`, import.meta.url))
  const { stdout } = await promisify(execFile)(command, [...args, file], { cwd: root, timeout: 60_000 })
  return stdout
}

const onNode = (entry: string) => run(process.execPath, [], entry)

describe.each(entries)("the entry %s", (entry) => {
  it("says something on Node", async () => {
    assert.notStrictEqual((await onNode(entry)).trim(), "")
  })
})

requires("deno")("Deno prints what Node prints", () => {
  it.each(entries)("%s", async (entry) => {
    const args = ["run", "--no-lock", "--node-modules-dir=manual", "--allow-all"]
    assert.strictEqual(await run("deno", args, entry), await onNode(entry))
  })
})

requires("bun")("Bun prints what Node prints", () => {
  it.each(entries)("%s", async (entry) => {
    assert.strictEqual(await run("bun", ["run", "--no-install"], entry), await onNode(entry))
  })
})
