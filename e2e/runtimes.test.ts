import { Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { TestDatabase } from "../packages/server/test/support/TestDatabase.ts"
import { requires } from "../test/requires.ts"

/** Programs that must print the same on every runtime we name. */
const entries = ["domain", "client", "node"]

/** A whole node begins twice in one of these tests. */
const long = { timeout: 120_000 }

const root = fileURLToPath(new URL("..", import.meta.url))

const spawned = async (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
  const { stdout } = await promisify(execFile)(command, args, {
    cwd: root,
    timeout: 60_000,
    env: { ...process.env, ...env }
  })
  return stdout
}

const run = async (command: string, args: ReadonlyArray<string>, entry: string) => {
  const file = fileURLToPath(new URL(`./runtimes/${entry}.ts`, import.meta.url))
  if (entry !== "node") return await spawned(command, [...args, file], {})
  // A node wants a database of its own.
  return await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(TestDatabase.make(), ({ appUrl, ownerUrl }) =>
        Effect.promise(() =>
          spawned(command, [...args, file], {
            DATABASE_URL: Redacted.value(appUrl),
            DATABASE_OWNER_URL: Redacted.value(ownerUrl),
            TROUPE_PORT: "0"
          })
        )
      )
    )
  )
}

const onNode = (entry: string) => run(process.execPath, [], entry)

describe.each(entries)("the entry %s", (entry) => {
  it("says something on Node", long, async () => {
    assert.notStrictEqual((await onNode(entry)).trim(), "")
  })
})

requires("deno")("Deno prints what Node prints", () => {
  it.each(entries)("%s", long, async (entry) => {
    const args = ["run", "--no-lock", "--node-modules-dir=manual", "--allow-all"]
    assert.strictEqual(await run("deno", args, entry), await onNode(entry))
  })
})

requires("bun")("Bun prints what Node prints", () => {
  it.each(entries)("%s", long, async (entry) => {
    assert.strictEqual(await run("bun", ["run", "--no-install"], entry), await onNode(entry))
  })
})
