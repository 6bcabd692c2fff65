import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"

const long = 180_000

requires("postgres")("troupe, as a person uses it,", () => {
  const troupe = new AllInOne()

  const does = async (...args: ReadonlyArray<string>) => {
    const ended = await troupe.ended(args)
    assert.strictEqual(ended.code, 0, `troupe ${args.join(" ")}\n${ended.stdout}${ended.stderr}`)
    return ended
  }
  const json = async (...args: ReadonlyArray<string>) =>
    (await does(...args, "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))

  beforeAll(async () => {
    // Nothing runs yet: the first thing to be done starts all of it.
    const { stderr } = await does("run", "--yes", "run: echo $((40 + 2)) > answer; cat answer")
    assert.include(stderr, "Starting Troupe in the background")
  }, long)
  afterAll(() => troupe.remove(), long)

  it("goes on with the session that was made last", { timeout: long }, async () => {
    const [made] = await json("sessions", "list")
    const [said] = await json("run", "--yes", "--continue", "run: cat answer")
    assert.strictEqual(said.session, made.id)
    assert.include(said.text, "42")
    const [other] = await json("run", "--harness", "shell", "echo made by $((1 + 1))")
    assert.notStrictEqual(other.session, made.id)
    assert.strictEqual(other.outcome, "completed")
    const [shown] = await json("sessions", "show", other.session)
    assert.strictEqual(shown.agent.troupe.harness, "shell")
  })

  it("looks at sessions, and changes them", { timeout: long }, async () => {
    const { stdout: listed } = await does("sessions", "list")
    assert.match(listed, /^SESSION +STATUS +AGENT +COST +CHANGED +TITLE\nsesn_/)
    const [{ id }] = await json("sessions", "list", "--limit", "1")
    assert.match((await does("sessions", "log", id)).stdout, /^ +1 +[\d:.]+ +SessionOpened/)
    const [fork] = await json("sessions", "fork", id, "--title", "Another way")
    await does("sessions", "send", fork.id, "echo forked")
    await does("sessions", "stop", fork.id)
    await does("sessions", "archive", fork.id)
    assert.include((await does("sessions", "show", fork.id)).stdout, "Another way")
    const refused = await troupe.ended(["sessions", "delete", fork.id])
    assert.strictEqual(refused.code, 2)
    assert.include(refused.stderr, "Say --yes if you mean it.")
    await does("sessions", "delete", fork.id, "--yes")
    const gone = await troupe.ended(["sessions", "show", fork.id])
    assert.strictEqual(gone.code, 4)
    assert.strictEqual(gone.stdout, "")
  })

  it("keeps other servers and their keys by names", { timeout: long }, async () => {
    const [own] = await json("contexts", "list")
    const key = join(troupe.home, "api_key")
    await does("contexts", "add", "work", own.url, "--key-file", key)
    const [first, work] = await json("contexts", "list")
    assert.deepStrictEqual([first.current, work.current, work.name], [false, true, "work"])
    assert.strictEqual(statSync(join(troupe.home, "contexts/work.key")).mode & 0o777, 0o600)
    assert.isNotEmpty(await json("sessions", "list", "--context", "work"))
    const open = join(troupe.home, "open")
    writeFileSync(open, readFileSync(key), { mode: 0o644 })
    const refused = await troupe.ended(["contexts", "add", "play", own.url, "--key-file", open])
    assert.strictEqual(refused.code, 2)
    assert.include(refused.stderr, `chmod 600 ${open}`)
    await does("contexts", "remove", "work")
    assert.isFalse(existsSync(join(troupe.home, "contexts/work.key")))
  })

  it("says in plain words what is wrong, and what to type", { timeout: long }, async () => {
    const cases = [
      [["sessions", "list"], { TROUPE_API_KEY: "k".repeat(40) }, 4, "does not take this key"],
      [
        ["sessions", "list"],
        { TROUPE_SERVER: "http://127.0.0.1:9", TROUPE_API_KEY: "k".repeat(40) },
        3,
        "http://127.0.0.1:9 can't be reached"
      ],
      [["sessions", "list", "--context", "nowhere"], {}, 2, "There is no context nowhere.\ntroupe contexts list"],
      [["run", "--agent", "Nobody", "x"], {}, 4, "There is no agent Nobody.\ntroupe agents list"],
      [["sesions"], {}, 2, "Did you mean this?"]
    ] as const
    for (const [args, environment, code, words] of cases) {
      const ended = await troupe.ended(args, environment)
      assert.strictEqual(ended.code, code, ended.stderr)
      assert.include(ended.stderr, words)
      assert.strictEqual(ended.stdout, "")
      assert.notInclude(ended.stderr, "k".repeat(40))
      assert.notInclude(ended.stderr, "    at ")
    }
  })

  it("completes what is typed", { timeout: long }, async () => {
    for (const shell of ["bash", "zsh", "fish"]) assert.include((await does("--completions", shell)).stdout, "sessions")
  })
})
