import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What each example says when it is run as it stands. */
const examples = { "verify-bundle": "Nothing was changed.\n" }

describe.each(Object.entries(examples))("the example %s", (name, said) => {
  const source = readFileSync(`${root}examples/${name}.ts`, "utf8")

  it("runs, and says what it says", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`examples/${name}.ts`], { cwd: root })
    assert.strictEqual(stdout, said)
  })

  it("stands in the README as it is", () => {
    assert.include(readFileSync(`${root}README.md`, "utf8"), source.trimEnd())
  })
})
