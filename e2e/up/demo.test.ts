import { afterAll, assert, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { AllInOne, lives } from "../support/AllInOne.ts"
import { until } from "../support/Running.ts"

const long = 240_000

requires("postgres")("npm run demo", () => {
  const troupe = new AllInOne()
  afterAll(() => troupe.remove(), long)

  it("kills the server in the middle of a session, which runs nothing twice", { timeout: long }, async () => {
    const { code, stderr, stdout } = await troupe.program("packages/cli/src/demo/demo-main.ts").end()
    assert.strictEqual(code, 0, stdout + stderr)
    assert.match(stdout, /another one runs, process \d+/)
    assert.include(stdout, "marks: 1; started 1 time\n")
    assert.match(stdout, /\d+ events whole, \d+ commands decided the same/)
    assert.include(stdout, "It ran once, nothing was lost, and the log proves it.")
    const [, pid] = /process (\d+)/.exec(stdout)!
    await until("the node that came after it is gone", () => !lives(Number(pid)))
  })
})
