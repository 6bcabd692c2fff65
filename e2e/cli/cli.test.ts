import { Troupe } from "@troupe/client"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { ourName } from "../../packages/cli/src/app/NameConfig.ts"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { inProcess } from "../support/inProcess.ts"
import { type Ended, until } from "../support/Running.ts"

const long = 180_000

/** A PNG of one pixel. */
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)

const residentMiB = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_024)

requires("postgres")("troupe, as a person uses it,", () => {
  const troupe = new AllInOne()

  const client = () => new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
  const did = (args: ReadonlyArray<string>, ended: Ended) => {
    assert.strictEqual(ended.code, 0, `troupe ${args.join(" ")}\n${ended.stdout}${ended.stderr}`)
    return ended
  }
  const ended = (...args: ReadonlyArray<string>) => inProcess(args, { TROUPE_HOME: troupe.home, TROUPE_PORT: "0" })
  const does = async (...args: ReadonlyArray<string>) => did(args, await ended(...args))
  const json = async (...args: ReadonlyArray<string>) =>
    (await does(...args, "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))

  beforeAll(async () => {
    // Nothing runs yet: the first thing to be done starts all of it, once, though two come at the same time.
    const first = ["run", "--yes", "run: echo $((40 + 2)) > answer; cat answer"]
    const all = await Promise.all([troupe.ended(first), troupe.ended(first)])
    for (const one of all) assert.include(did(first, one).stdout, "42")
    assert.include(all[0].stderr, "Starting Troupe in the background")
  }, long)
  afterAll(() => troupe.remove(), long)

  it("goes on with the session that was made last", { timeout: long }, async () => {
    const [made] = await json("sessions", "list")
    const [said] = await json("run", "--yes", "--continue", "run: cat answer")
    assert.strictEqual(said.session, made.id)
    assert.include(said.text, "42")
    assert.match(
      (await does("sessions", "show", made.id)).stdout,
      /^sandbox +(bubblewrap: namespaces|local: NO ISOLATION)$/m
    )
    const [other] = await json("run", "--harness", "shell", "echo made by $((1 + 1))")
    assert.notStrictEqual(other.session, made.id)
    assert.strictEqual(other.outcome, "completed")
    const [shown] = await json("sessions", "show", other.session)
    assert.strictEqual(shown.agent.troupe.harness, "shell")
  })

  it("takes a pipe beside a message, and answers lines in JSON", { timeout: long }, async () => {
    const fed = (input: string, ...args: ReadonlyArray<string>) =>
      troupe.behind(["sh", "-c", `printf '${input}' | "$@"`, "sh"], args).end()
    const [piped, chat] = await Promise.all([
      fed("run: echo $((50 + 6))\\n", "run", "--yes", "First this:", "-"),
      fed("say: one\\nsay: two\\n", "chat", "--yes", "--json")
    ])
    assert.include(piped.stdout, "56", piped.stderr)
    const answers = chat.stdout.trim().split("\n")
    const told = answers.map((line) => JSON.parse(line))
    assert.deepStrictEqual(
      told.map(({ text }) => text.includes("two")),
      [false, true]
    )
    assert.strictEqual((await json("sessions", "show", told[0].session))[0].title, "say: one")
  })

  it("looks at sessions, and changes them", { timeout: long }, async () => {
    const { stdout: listed } = await does("sessions", "list")
    assert.match(listed, /^SESSION +STATUS +AGENT +COST +CHANGED +TITLE\nsesn_/)
    const [{ id }] = await json("sessions", "list", "--limit", "1")
    assert.match((await does("sessions", "log", id)).stdout, /^ +1 +[\d:.]+ +SessionOpened/)
    const [fork] = await json("sessions", "fork", id, "--title", "Another way")
    await does("sessions", "send", fork.id, "echo forked")
    await does("sessions", "stop", fork.id)
    await client().session(fork.id).until("idle")
    await does("sessions", "archive", fork.id)
    assert.include((await does("sessions", "show", fork.id)).stdout, "Another way")
    const refused = await troupe.ended(["sessions", "delete", fork.id])
    assert.strictEqual(refused.code, 2)
    assert.include(refused.stderr, "Say --yes if you mean it.")
    await does("sessions", "delete", fork.id, "--yes")
    const gone = await ended("sessions", "show", fork.id)
    assert.strictEqual(gone.code, 4)
    assert.strictEqual(gone.stdout, "")
  })

  it("talks in a terminal: markdown, tools, a queue, questions, interrupts", { timeout: long }, async () => {
    const chat = troupe.terminal(["chat"], { columns: 80, rows: 24 })
    await chat.shows("Assistant · demo")
    chat.enter("say: **loud** and clear")
    await chat.shows("› say: **loud** and clear\n\nloud and clear")
    const { files } = client().sessions
    const [session] = /sesn_\w{24}/.exec(chat.screen)!
    /** Goes on once there is a file of this name, which is made when all else has been seen. */
    const waits = (name: string) => `until [ -e ${name} ]; do sleep 0.1; done`
    const make = (name: string) =>
      until("the session has a place", () =>
        files.write(session, name, "").then(
          () => true,
          () => false
        )
      )
    chat.enter(`run: ${waits("go")}; echo $((20 + 3))`)
    await chat.shows("Working")
    chat.enter("ask me: Which? red / blue")
    await chat.shows("queued: ask me")
    await make("go")
    await chat.shows(`● bash ${waits("go")}; echo $((20 + 3))\n  └ 23`)
    await chat.shows(/\? Which\?\n +1 red\n +2 blue\n +A number chooses/)
    chat.resize({ columns: 40, rows: 12 })
    chat.type("2")
    await chat.shows("? Which?\n› blue\n")
    await chat.shows("│ blue")
    chat.enter("run: seq 31 40\nwrite file notes one two")
    await chat.shows(/● bash seq 31 40\n +└ 31 · 9 more lines · Ctrl-O shows/)
    chat.enter('call edit {"file_path":"notes","old_string":"one","new_string":"three"}')
    await chat.shows(/● edit notes\n +- one\n +\+ three\n/)
    chat.type("\u000F")
    await chat.shows(/● bash seq 31 40\n +│ 31\n/)
    chat.enter("/changes")
    await chat.shows(/diff --git a\/notes b\/notes\n[^]*\n\+three two\nTo have that here/)
    chat.enter(`run: ${waits("on")}`)
    await chat.shows("○ bash until")
    chat.enter("/steer say: steered into it")
    await chat.shows("queued: say: steered into it")
    await make("on")
    await chat.shows(/› say: steered into it[^]*steered into it/)
    chat.enter("run: sleep 600")
    await chat.shows("○ bash sleep 600")
    chat.type("\u001B")
    await chat.shows("The call was interrupted")
    chat.enter("run: sleep 600")
    await chat.shows("○ bash sleep 600")
    chat.enter("run: sleep 601")
    await chat.shows("queued: run: sleep 601")
    chat.enter("say: never this")
    await chat.shows("queued: say: never this")
    chat.type("\u001B[A")
    await chat.shows("› say: never this")
    chat.type("\u0015")
    const joined = troupe.terminal(["attach", "last"], { columns: 100, rows: 30 })
    // Who comes to work that goes on sees who does it, and what waits.
    await joined.shows(/○ bash sleep 600\nWorking, .*\n +queued: run: sleep 601\n›.*\nAssistant · demo/)
    joined.type("\u0004")
    assert.strictEqual(await joined.ended(), 0)
    chat.type("\u0003")
    // What was interrupted is not what comes next.
    await chat.shows(/○ bash sleep 601\nWorking/)
    chat.type("\u001B")
    await chat.shows(/sleep 601\n +└ The call was interrupted/)
    chat.enter("/help")
    await chat.shows("/steer TEXT")
    chat.enter("/fork")
    await chat.shows(/This goes on in\s+sesn_/)
    chat.enter("run: echo $((30 + 4))")
    await chat.shows("│ 34")
    chat.enter("/model nowhere/none")
    await chat.shows("· nowhere/none")
    chat.enter("say: nothing")
    await chat.shows(/No provider is known for[^]*troupe\s+models\s+list/)
    chat.enter("/model demo")
    await chat.shows("· demo ·")
    writeFileSync(join(troupe.home, "dot.png"), picture)
    chat.type(`say: seen @${troupe.home}/do\t`)
    await chat.shows(/› say: seen @\S+dot\.\s*png/)
    chat.enter("")
    await chat.shows(/dot\.\s*png\n +\+ a picture\n[^]*seen @/)
    chat.enter("say: nothing @./not-there.png")
    await chat.shows(/not-there\.png\s+can't\s+be\s+attached:\s+there\s+is\s+no/)
    chat.enter("/quit")
    assert.strictEqual(await chat.ended(), 0)
    assert.include(chat.screen.replaceAll("\n", ""), "Come back to it: troupe attach sesn_")
  })

  it("asks in the terminal before it does what has to be allowed", { timeout: long }, async () => {
    const agent = await troupe.makeAgent("Careful", "always_ask")
    const chat = troupe.terminal(["chat", "--agent", agent, "run: echo $((2 + 3))"], { columns: 100, rows: 30 })
    await chat.shows("? bash wants to run: echo $((2 + 3))")
    await chat.shows("y once · a for this session · n deny")
    chat.type("y")
    await chat.shows("│ 5")
    chat.enter("run: echo $((6 + 7))")
    await chat.shows("? bash wants to run: echo $((6 + 7))")
    chat.type("n")
    await chat.shows("Say why not")
    chat.enter("not today")
    await chat.shows("not today")
    chat.enter("run: echo $((8 + 9))")
    await chat.shows("? bash wants to run: echo $((8 + 9))")
    chat.type("a")
    await chat.shows("│ 17")
    chat.enter("run: echo $((10 + 11))")
    await chat.shows("│ 21")
    const before = troupe.pids()
    process.kill(before.node!, "SIGKILL")
    await chat.shows("nothing is lost, it is tried again")
    chat.enter("run: echo $((12 + 13))")
    await chat.shows("│ 25")
    chat.type("\u0004")
    assert.strictEqual(await chat.ended(), 0)
    const attached = troupe.terminal(["attach"], { columns: 100, rows: 30 }, { NO_COLOR: "1" })
    await attached.shows(/Which session\?[^]*run: echo \$\(\(2 \+ 3\)\) +idle, Careful/)
    attached.type("\r")
    await attached.shows("│ 25")
    await attached.shows("not today")
    // eslint-disable-next-line no-control-regex
    assert.notMatch(attached.running.said.stdout, /\u001B\[3[1-7]m/)
    attached.type("/mod\t")
    await attached.shows("› /model")
    attached.type("\u0003")
    attached.type("\u0003")
    await attached.shows("Ctrl-C once more leaves")
    attached.type("\u0003")
    assert.strictEqual(await attached.ended(), 0)
  })

  it("is small while it waits for keys", { timeout: long }, async () => {
    const attached = troupe.terminal(["attach", "last"], { columns: 100, rows: 30 })
    await attached.shows(/Assistant|Careful/)
    await attached.shows("· sesn_")
    const bare = troupe.program([process.execPath, "-e", "setInterval(() => {}, 1e6); console.log('waits')"])
    await bare.says("waits")
    const [ours, theirs] = [residentMiB(attached.pid), residentMiB(bare.child.pid!)]
    bare.child.kill()
    attached.type("\u0004")
    assert.strictEqual(await attached.ended(), 0)
    // A Node that does nothing takes 41 MiB here, and a chat that waits 83; 90 are allowed.
    assert.isBelow(ours / theirs, 90 / 41, `${ours} MiB, where a Node that does nothing takes ${theirs}`)
  })

  it("answers from elsewhere what waits to be allowed", { timeout: long }, async () => {
    const agent = await troupe.makeAgent("Watched", "always_ask")
    const waits = await ended("run", "--agent", agent, "--json", "run: echo $((14 + 15))")
    assert.strictEqual(waits.code, 5, waits.stderr)
    const { session } = JSON.parse(waits.stdout)
    // The inbox is read from tables that are filled from the log, a moment later.
    await until("it is in the inbox", async () =>
      (await does("approvals", "list")).stdout.includes("echo $((14 + 15))")
    )
    const [call] = (await json("approvals", "list")).filter(({ session_id }) => session_id === session)
    assert.deepInclude(call, { tool: "bash", input: { command: "echo $((14 + 15))" } })
    await does("approvals", "allow", call.id, "--session")
    assert.include((await does("run", "--continue", "run: echo $((16 + 17))")).stdout, "33")
    assert.strictEqual((await ended("approvals", "deny", call.id)).code, 4)
  })

  it("tells what happened, why, and that it is so", { timeout: long }, async () => {
    const plan = 'call update_plan {"plan":[{"step":"add up","status":"completed"}]}'
    const [{ session: id }] = await json("run", "--yes", `run: echo $((7 * 6)) | tee sum\n${plan}`)
    const { stdout: story } = await does("replay", "show", id)
    assert.match(story, /› run: echo .*\n.*\n +\d+ +● bash echo \$\(\(7 \* 6\)\) \| tee sum\n +└ 42\n/)
    assert.match(story, /● update_plan 1\/1\n/)
    assert.match(story, /Δ 1 file changed, \+1 −0\n/)
    const [, call] = /(\d+) +● bash/.exec(story)!
    assert.include((await does("replay", "why", id, call!)).stdout, "ModelRequestStarted: the model's answer")
    const [{ state }] = await json("replay", "state", id, "1")
    assert.isObject(state)
    assert.match((await does("replay", "diff", id, "1", "6")).stdout, /^WHAT +WHERE +VALUE\n/)
    const bundle = join(troupe.home, "bundle.jsonl")
    assert.include((await does("replay", "diff", id, "1..6")).stdout, "WHAT")
    const [exported] = await json("replay", "export", id, "--to", bundle)
    assert.deepStrictEqual(exported, { file: bundle, bytes: statSync(bundle).size })
    for (const target of [id, bundle]) {
      const { stdout } = await does("replay", "verify", target)
      assert.match(
        stdout,
        /^Nothing was changed.\n\d+ events, their chain whole\n\d+ commands decided again, 0 of them/
      )
    }
    writeFileSync(bundle, readFileSync(bundle, "utf8").replace("7 * 6", "7 * 7"))
    const forged = await ended("replay", "verify", bundle)
    assert.strictEqual(forged.code, 1)
    assert.include(forged.stdout, "This is not what happened")
    const unsaid = await troupe.ended(["replay", "redact", id, call!, "--reason", "asked for"])
    assert.deepStrictEqual([unsaid.code, unsaid.stdout], [2, ""])
    const redacted = await does("replay", "redact", id, call!, "--reason", "asked for", "--yes")
    assert.include(redacted.stdout, `The content of ${call} `)
    const lines = (await does("sessions", "log", id)).stdout.split("\n")
    const asked = lines.find((line) => line.trimStart().startsWith(`${call} `))!
    assert.include(asked, "ToolRequested")
    assert.notInclude(asked, "7 * 6")
    assert.match((await does("replay", "verify", id)).stdout, /^Nothing was changed./)
    assert.strictEqual((await ended("replay", "redact", id, "99999", "--reason", "asked for", "--yes")).code, 2)
  })

  it("gives an agent this directory's files, and takes back what it made of them", { timeout: long }, async () => {
    const directory = join(troupe.home, "project")
    mkdirSync(directory)
    writeFileSync(join(directory, "notes"), "one\n")
    writeFileSync(join(directory, "trace.log"), "x\n")
    writeFileSync(join(directory, ".gitignore"), "*.log\n")
    const command = "run: ls -A | tr '\\n' ' '; echo two >> notes; echo new > made; head -c 9 /dev/zero > zeros"
    const { code, stderr, stdout } = await troupe.runIn(directory, ["run", "--yes", "--cwd", command]).end()
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout, ".gitignore notes")
    assert.notInclude(stdout, "trace.log")
    assert.include(stderr, "The agent gets a copy: 2 files")
    assert.include(stderr, "It changed 3 files. To have that here: troupe sessions changes sesn_")
    const patch = await does("sessions", "changes", "last")
    assert.include(patch.stderr, "not to be said in a patch: zeros")
    execFileSync("git", ["apply", "-"], { cwd: directory, input: patch.stdout })
    assert.strictEqual(readFileSync(join(directory, "notes"), "utf8"), "one\ntwo\n")
    assert.strictEqual(readFileSync(join(directory, "made"), "utf8"), "new\n")
    const zeros = join(directory, "zeros")
    await does("sessions", "download", "last", "zeros", "--to", zeros)
    assert.strictEqual(readFileSync(zeros).length, 9)
    const promoted = (await does("files", "promote", "last", "notes", "--name", "notes.txt")).stdout.trim()
    assert.strictEqual((await does("files", "download", promoted)).stdout, "one\ntwo\n")
    const talks = ["chat", "--yes", "--cwd", "write file more x"]
    const asked = [["run", "--cwd", "--continue", "x"], talks].map((args) => troupe.runIn(directory, args).end())
    const [refused, chat] = await Promise.all(asked)
    assert.strictEqual(refused!.code, 2)
    assert.include(chat!.stderr, "It changed 1 file. To have that here: troupe sessions changes sesn_")
  })

  it("makes an agent of a file, and a file of an agent", { timeout: long }, async () => {
    const file = join(troupe.home, "agent.yaml")
    writeFileSync(file, "name: Reviewer\nmodel: demo\nsystem: Review.\ntools:\n  - type: agent_toolset_20260401\n")
    await does("agents", "apply", file)
    assert.include((await does("agents", "show", "Reviewer")).stdout, '"Review."')
    const { stdout } = await does("agents", "export", "Reviewer")
    assert.include(stdout, "system: Review.")
    await does("agents", "diff", file)
    writeFileSync(file, stdout.replace("Review.", "Review well."))
    const diff = await ended("agents", "diff", file)
    assert.strictEqual(diff.code, 1, diff.stderr)
    assert.match(diff.stdout, /^system +"Review." +"Review well."$/m)
    const [changed] = await json("agents", "apply", file)
    assert.deepInclude(changed, { name: "Reviewer", version: 2, system: "Review well." })
    const [again] = await json("agents", "apply", file)
    assert.strictEqual(again.version, 2)
  })

  it("lists what there is in a workspace", { timeout: long }, async () => {
    const cases = [
      [["models", "list"], "demo"],
      [["environments", "list"], "default"],
      [["runners", "list"], "connected"],
      [["usage"], "TOOL CALLS"],
      [["policies", "show"], '"version"'],
      [["policies", "try", "bash", "--input", '{"command":"ls"}'], "verdict"],
      [["turns", "list", "last"], "completed"]
    ] as const
    for (const [args, words] of cases) assert.include((await does(...args)).stdout, words)
    const nobody = await ended("runners", "revoke", "nobody", "--yes")
    assert.deepStrictEqual(
      [nobody.code, nobody.stderr.includes("There is no runner nobody.")],
      [4, true],
      nobody.stderr
    )
    const { stderr, stdout: secret } = await does("keys", "create", "For reading", "--scope", "read")
    assert.include(stderr, "never again")
    const [key] = (await json("keys", "list")).filter(({ name }) => name === "For reading")
    const refused = await troupe.ended(["keys", "create", "Another"], { TROUPE_API_KEY: secret.trim() })
    assert.strictEqual(refused.code, 4, refused.stderr)
    await does("keys", "revoke", key.id)
    const upload = (await does("files", "upload", join(troupe.home, "agent.yaml"))).stdout.trim()
    assert.include((await does("files", "download", upload)).stdout, "name: Reviewer")
    await does("files", "delete", upload, "--yes")
  })

  it("shows how far it is with what takes long", { timeout: long }, async () => {
    const file = join(troupe.home, "large")
    writeFileSync(file, Buffer.alloc(3 * 1_048_576))
    const uploading = troupe.terminal(["files", "upload", file], { columns: 100, rows: 30 })
    assert.strictEqual(await uploading.ended(), 0, uploading.screen)
    assert.match(uploading.running.said.stdout, /█+░* [\d.]+ of 3\.0 MiB/)
    const [id] = /file_\w+/.exec(uploading.running.said.stdout)!
    assert.strictEqual((await json("files", "list"))[0].id, id)
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
    assert.deepStrictEqual(await json("contexts", "remove", "work"), [{ name: "work", removed: true }])
    assert.isFalse(existsSync(join(troupe.home, "contexts/work.key")))
  })

  it("says in plain words what is wrong, and what to type", { timeout: long }, async () => {
    const cases = [
      [["sessions", "list", "--context", "nowhere"], {}, 2, `There is no context nowhere.\n${ourName} contexts list`],
      [["run", "--agent", "Nobody", "x"], {}, 4, `There is no agent Nobody.\n${ourName} agents list`],
      [["sessions", "show", "sesn_nope"], {}, 4, `sesn_nope is no session.\n${ourName} sessions list`],
      [["files", "download", "file_nope"], {}, 4, "one that begins with file_ is wanted"],
      [["sessions", "download", "last", "nowhere"], {}, 4, `has no file nowhere.\n${ourName} sessions changes`],
      [["agents", "apply", "/nowhere.yaml"], {}, 2, "/nowhere.yaml can't be read: there is no such file."],
      [["sessions", "list"], { TROUPE_SERVER: "here", TROUPE_API_KEY: "k".repeat(40) }, 2, "here is no address"],
      [["attach"], {}, 2, "Which session?\nName one by its id, or say last"],
      [["attach", "nothing"], {}, 4, `nothing is no session.\n${ourName} sessions list`],
      [["replay", "diff", "last", "one"], {}, 2, "Places in the log are numbers."],
      [["sessions", "list", "--limit", "-1"], {}, 2, "Expected: a number from 0 on"],
      [["sesions"], {}, 2, "Did you mean this?"]
    ] as const
    for (const [args, environment, code, words] of cases) {
      const refused = await inProcess(args, { TROUPE_HOME: troupe.home, TROUPE_PORT: "0", ...environment })
      assert.strictEqual(refused.code, code, refused.stderr)
      assert.include(refused.stderr, words)
      assert.strictEqual(refused.stdout, "")
      assert.notInclude(refused.stderr, "    at ")
    }
  })

  it("prints tables whole in a terminal that does not say how wide it is", { timeout: long }, async () => {
    const listing = troupe.terminal(["sessions", "list"], { columns: 0, rows: 0 })
    await listing.ended()
    assert.match(listing.running.said.stdout, /^SESSION +STATUS +AGENT +COST +CHANGED +TITLE/m)
  })

  it("completes what is typed", { timeout: long }, async () => {
    const shells = ["bash", "zsh", "fish", "powershell"]
    await Promise.all(
      shells.map(async (shell) => {
        const script = did([shell], await troupe.ended(["--completions", shell])).stdout
        assert.include(script, "sessions")
        // What holds for all commands is offered behind each of them.
        assert.isAbove(script.match(/\bcontext\b/g)!.length, 40, shell)
      })
    )
  })
})
