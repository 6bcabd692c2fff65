import { assert, it } from "vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { requires } from "../../test/requires.ts"

requires(
  "full",
  "postgres",
  "bubblewrap",
  "root"
)("a session through everything that a turn can do", () => {
  it.each(["demo", "openai"])("on %s", { timeout: 600_000 }, (kind) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, "features.ts"), kind], {
      encoding: "utf8"
    })
    console.log(stdout)
    assert.strictEqual(status, 0, `${stdout}\n${stderr}`)
    assert.include(stdout, "All of it is as it should be.")
  })
})
