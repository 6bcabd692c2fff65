import { afterAll, assert, beforeAll, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { inProcess } from "../support/inProcess.ts"
import { type Running } from "../support/Running.ts"

const long = 180_000

requires("postgres")("troupe run", () => {
  const troupe = new AllInOne()
  let up: Running

  beforeAll(async () => {
    up = await troupe.up()
  }, long)
  afterAll(() => troupe.remove(), long)

  it("has an agent do one thing, and prints what it says", { timeout: long }, async () => {
    const { code, stderr, stdout } = await troupe.ended(["run", "--yes", "run: echo $((40 + 2))"])
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout, "42")
    assert.include(stderr, "· bash echo $((40 + 2))")
  })

  it("goes on when the node is killed, and runs nothing twice", { timeout: long }, async () => {
    const running = troupe.run([
      "run",
      "--yes",
      "--json",
      "run: echo mark >> marks; sleep 5; echo marks: $(wc -l < marks)"
    ])
    await running.says("· bash")
    const before = troupe.pids()
    process.kill(before.node!, "SIGKILL")
    const { code, stderr, stdout } = await running.end()
    assert.strictEqual(code, 0, stderr)
    const said = JSON.parse(stdout) as { readonly outcome: string; readonly text: string }
    assert.strictEqual(said.outcome, "completed")
    assert.include(said.text, "marks: 1")
    assert.strictEqual(troupe.pid("runner"), before.runner)
    assert.notStrictEqual(troupe.pid("node"), before.node)
    await up.says("node is started again")
  })

  it("says by its exit code how it went", { timeout: long }, async () => {
    const cases = [
      [["run", "--json", "fail"], 1],
      [["run"], 2],
      [["run", "one", "two"], 2],
      [["run", "--agent", "agent_nowhere", "x"], 4]
    ] as const
    for (const [args, code] of cases) {
      const ended = await inProcess(args, { TROUPE_HOME: troupe.home, TROUPE_PORT: "0" })
      assert.strictEqual(ended.code, code, ended.stdout + ended.stderr)
    }
    assert.strictEqual((await troupe.ended(["run", "x"], { TROUPE_HOME: "/proc/troupe" })).code, 4)
    const away = { TROUPE_SERVER: "http://127.0.0.1:9", TROUPE_API_KEY: "k".repeat(40) }
    assert.strictEqual((await troupe.ended(["sessions", "list"], away)).code, 3)
    const { code, stderr } = await troupe.ended(["run", "x"], { TROUPE_API_KEY: "k".repeat(40) })
    assert.strictEqual(code, 4)
    assert.notInclude(stderr, "k".repeat(40))
  })

  it("interrupts the turn at Ctrl-C", { timeout: long }, async () => {
    const running = troupe.run(["run", "--yes", "--json", "run: sleep 600"])
    await running.says("· bash")
    running.child.kill("SIGINT")
    const { code, stdout } = await running.end()
    assert.strictEqual(code, 130)
    assert.include(stdout, `"outcome":"interrupted"`)
  })
})
