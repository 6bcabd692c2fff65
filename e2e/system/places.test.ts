import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { File } from "@troupe/domain/api/Files"
import { rangedText, takesRanges } from "../../packages/server/test/gateway/ranges.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { requires } from "../../test/requires.ts"
import { processesOf } from "../support/leftovers.ts"
import { System, wordsOf } from "../support/System.ts"
import { eventually, sleep } from "./waiting.ts"

const patient = { timeout: 120_000 }

interface Answer {
  readonly status: number
  readonly body: never
}

requires(
  "postgres",
  "bubblewrap",
  "root"
)("the place of a session, over HTTP", () => {
  let system: System
  let session: string
  let fresh: string
  let agent: string

  /** Which the runner's owner lets sessions have. */
  const allowed = mkdtempSync(join(tmpdir(), "troupe-e2e-host-"))
  /** Of the loopback, and opened by the runner's owner, who knows better than to open the rest of what is opened there. */
  const site = createServer((_request, response) => response.end("reached"))
  let database: string

  const url = (path: string) => `${system.nodes[0]!.gateway}/v1${path}`
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url(path), { ...init, headers: { "x-api-key": apiKey, ...init.headers } })
  const json = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await ask(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
    })
    return { status: response.status, body: (await response.json()) as never }
  }
  const at = (path: string) => `/sessions/${session}${path}`
  const exec = async (command: unknown, more: object = {}) =>
    (await json("POST", at("/exec"), { command, ...more })).body as {
      readonly stdout: string
      readonly stderr: string
      readonly truncated: boolean
      readonly ending: { readonly type: string; readonly exit_code: number | null }
    }
  const code = ({ body, status }: Answer) => {
    const { error } = body as { error: { message: string; details?: { error_code: string } } }
    return [status, error.details?.error_code ?? error.message] as const
  }
  const put = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    ask(at(`/files/content?path=${encodeURIComponent(path)}`), { method: "PUT", body, headers })

  /** A session whose first turn, if it was told anything, is done. */
  const open = async (words: string | null = null, more: object = {}) => {
    const text = { type: "text", text: words }
    const initial_events = words === null ? [] : [{ type: "user.message", content: [text] }]
    const { body } = await json("POST", "/sessions", { agent, initial_events, ...more })
    const { id } = body as { id: string }
    return { id, events: words === null ? [] : await system.turnsEnded(id as never, 1) }
  }

  beforeAll(async () => {
    system = await System.make(23)
    await system.node({ TROUPE_FILE_MAX_MB: "2" })
    chmodSync(allowed, 0o777)
    writeFileSync(join(allowed, "readme"), "of the host\n")
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve))
    database = (await system.query<{ port: string }>("SELECT current_setting('port') AS port"))[0]!.port
    const opened = [(site.address() as AddressInfo).port, database, system.nodes[0]!.address.split(":")[1]!]
    system.runner({
      env: {
        TROUPE_SANDBOX_GRACE_MS: "300",
        TROUPE_RUNNER_ROOTS: allowed,
        TROUPE_EGRESS_ALLOW: opened.flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`]).join(",")
      }
    })
    agent = (
      (await json("POST", "/agents", { name: "helper", model: "demo", tools: [{ type: "agent_toolset_20260401" }] }))
        .body as { id: string }
    ).id
    fresh = (await open()).id
    session = (await open("run: echo by the agent > made.txt")).id
  }, 180_000)
  afterAll(async () => {
    await system?.end()
    site.close()
    rmSync(allowed, { recursive: true, force: true })
  }, 60_000)

  it("runs programs of people, and notes them in the log", patient, async () => {
    const shell = await exec('cat made.txt; echo "$A" >&2; cat; exit 3', { env: { A: "b" }, stdin: "told" })
    assert.match(shell.stdout, /by the agent[^]*told$/)
    assert.deepStrictEqual([shell.stderr, shell.truncated, shell.ending.exit_code], ["b\n", false, 3])
    const words = await exec(["printf", "%s|", "a b", "$HOME"], { cwd: "/tmp" })
    assert.deepStrictEqual([words.stdout, words.ending.type], ["a b|$HOME|", "exited"])
    assert.strictEqual((await exec("sleep 60", { timeout_ms: 300 })).ending.type, "timed_out")
    const much = await exec("head -c 3000000 /dev/zero | tr '\\0' x")
    assert.deepStrictEqual([much.stdout.length, much.truncated], [1_048_576, true])
    const noted = (await system.log(session as never)).flatMap((event) =>
      event._tag === "HumanExecuted" ? [[event.command, event.exitCode, event.details["ending"]]] : []
    )
    assert.deepStrictEqual(noted.slice(1), [
      ["printf %s| a b $HOME", 0, "exited"],
      ["sleep 60", null, "timed_out"],
      ["head -c 3000000 /dev/zero | tr '\\0' x", 0, "exited"]
    ])
  })

  it("is held to the policies of its agent and of its session, which the log names", patient, async () => {
    const rules = [{ tool: "bash", when: { command: "rm *" }, then: "deny", reason: "nothing is thrown away" }]
    const troupe = { policies: [{ type: "rules", rules }] }
    const tools = [{ type: "agent_toolset_20260401" }]
    const { id } = (await json("POST", "/agents", { name: "careful", model: "demo", tools, troupe })).body as {
      id: string
    }
    const rulesOf = (events: ReadonlyArray<SessionEvent>) =>
      events.flatMap((event) => (event._tag === "ToolRequested" ? [event.verdict.rule] : []))
    const first = await open("run: rm -f made.txt", { agent: id })
    assert.deepStrictEqual(rulesOf(first.events), ["agent.policies[0].rules[0]"])
    const update = { troupe: { policies: [{ type: "preset", preset: "read_only" }] } }
    assert.strictEqual((await json("POST", `/sessions/${first.id}`, update)).status, 200)
    await json("POST", `/sessions/${first.id}/events`, {
      events: [{ type: "user.message", content: [{ type: "text", text: "run: touch made.txt" }] }]
    })
    const second = await system.turnsEnded(first.id as never, 2)
    assert.deepStrictEqual(rulesOf(second).slice(1), ["session.policies[0].preset.read_only.no_writes"])
    assert.isFalse(second.some(({ _tag }) => _tag === "ToolStarted"))
  })

  it("works on a directory of its runner's host: on a copy, and in it where that was chosen", patient, async () => {
    const { data } = (await json("GET", "/runners")).body as { data: ReadonlyArray<{ id: string }> }
    const runner_id = data[0]!.id
    const directories = `/runners/${runner_id}/directories`
    const found = (await json("GET", directories)).body as { data: ReadonlyArray<object> }
    assert.deepInclude(found.data[0], { path: allowed, registered: false })
    assert.deepStrictEqual((await json("GET", `${directories}?limit=1`)).body, { ...found, next_page: null })
    assert.strictEqual((await json("GET", `${directories}?page=page_x`)).status, 400)
    const on = (use: string) => ({ troupe: { directory: { runner_id, path: allowed, use } } })
    const words = "run: cat readme; echo by the agent > made"
    const endOf = async (use: string) => {
      const { events, id } = await open(words, on(use))
      const shown = (await json("GET", `/sessions/${id}`)).body as { resources: Array<object>; troupe: object }
      assert.deepStrictEqual(shown.resources, [])
      assert.deepInclude(shown.troupe, on(use).troupe)
      return { id, said: JSON.stringify(events) }
    }
    assert.strictEqual((await json("POST", directories, { path: allowed, use: "copy" })).status, 200)
    assert.include((await endOf("copy")).said, "of the host")
    assert.isFalse(existsSync(join(allowed, "made")))
    assert.match((await endOf("in_place")).said, /"code":"directory_refused"[^}]*not registered for this use/)
    assert.isFalse(existsSync(join(allowed, "made")))
    assert.strictEqual((await json("POST", directories, { path: allowed, use: "in_place" })).status, 200)
    const { id } = await endOf("in_place")
    assert.strictEqual(readFileSync(join(allowed, "made"), "utf8"), "by the agent\n")

    // A fork has a working copy of its own.
    const fork = (await json("POST", `/sessions/${id}/fork`, {})).body as { id: string; troupe: { directory: unknown } }
    assert.isNull(fork.troupe.directory)
    const nobodys = { runner_id: system.mint("Runner"), path: allowed, use: "copy" }
    const refused = await json("POST", "/sessions", { agent, troupe: { directory: nobodys } })
    assert.match(code(refused).join(" "), /^404 .*was not found/)
  })

  it("reaches what its runner's owner opened, and no node and no database by whatever name", patient, async () => {
    // The loopback inside is the sandbox's own unless the proxy is asked.
    const get = async (authority: string) => (await exec(`curl -sS --noproxy "" http://${authority}/`)).stdout
    const { port } = site.address() as AddressInfo
    assert.strictEqual(await get(`127.0.0.1:${port}`), "reached")
    assert.strictEqual(await get(`alias.localhost:${port}`), "reached")
    const [node] = system.nodes
    for (const own of [database, node!.address.split(":")[1]!, new URL(node!.gateway).port]) {
      for (const host of ["localhost", "127.0.0.1", "127.0.0.2", "alias.localhost", "[::ffff:127.0.0.1]"]) {
        assert.match(await get(`${host}:${own}`), /is refused \(own_service\)/, `${host}:${own}`)
      }
    }
  })

  it(
    "says on the session what its tools run in, and that nothing isolates them where that is so",
    patient,
    async () => {
      const sandboxOf = async (id: string) =>
        ((await json("GET", `/sessions/${id}`)).body as { troupe: { sandbox: unknown } }).troupe.sandbox
      assert.isNull(await sandboxOf(fresh))
      assert.deepStrictEqual(await sandboxOf(session), { backend: "bubblewrap", isolation: "namespaces" })
      const bare = await json("POST", "/environments", { name: "bare", troupe: { backend: "local" } })
      const environment_id = (bare.body as { id: string }).id
      const initial_events = [{ type: "user.message", content: [{ type: "text", text: "run: true" }] }]
      const { id } = (await json("POST", "/sessions", { agent, environment_id, initial_events })).body as { id: string }
      const asked = await eventually("it asks", async () =>
        (await system.log(id as never)).flatMap((event) => (event._tag === "ToolRequested" ? [event] : [])).at(0)
      )
      assert.strictEqual(asked.awaits, "confirmation")
      const yes = { type: "user.tool_confirmation", tool_use_id: asked.callId, result: "allow" }
      assert.strictEqual((await json("POST", `/sessions/${id}/events`, { events: [yes] })).status, 200)
      await system.turnsEnded(id as never, 1)
      assert.deepStrictEqual(await sandboxOf(id), { backend: "local", isolation: "none" })
    }
  )

  it("streams what they say", patient, async () => {
    const response = await ask(at("/exec/stream"), {
      method: "POST",
      body: JSON.stringify({ command: "printf out; printf err >&2; exit 1" }),
      headers: { "content-type": "application/json" }
    })
    const events = (await response.text()).matchAll(/event: (\w+)\ndata: (.*)\n/g)
    const said = { stdout: "", stderr: "", ended: "" }
    for (const [, event, data] of events) {
      const body = JSON.parse(data!) as { data?: string; exit_code?: number }
      said[event as "ended"] += body.data === undefined ? String(body.exit_code) : atob(body.data)
    }
    assert.deepStrictEqual(said, { stdout: "out", stderr: "err", ended: "1" })
  })

  it("runs what is streamed once under a key, and shows again what it said", patient, async () => {
    const stream = async (key: string, command: string) => {
      const response = await ask(at("/exec/stream"), {
        method: "POST",
        body: JSON.stringify({ command }),
        headers: { "content-type": "application/json", "idempotency-key": key }
      })
      const { headers, status } = response
      return { status, replayed: headers.get("idempotent-replayed"), text: await response.text() }
    }
    const once = "echo ran >> runs.txt; wc -l < runs.txt"
    const [first, second] = [await stream("streamed", once), await stream("streamed", once)]
    assert.deepStrictEqual([first.status, first.replayed], [200, null])
    assert.deepStrictEqual(second, { ...first, replayed: "true" })
    assert.include(first.text, `event: ended`)
    assert.strictEqual((await exec("wc -l < runs.txt; rm runs.txt")).stdout.trim(), "1")
    assert.strictEqual((await stream("streamed", "true")).status, 409)
    const much = "head -c 300000 /dev/zero | tr '\\0' x"
    assert.strictEqual((await stream("much", much)).status, 200)
    const again = await stream("much", much)
    assert.deepStrictEqual([again.status, again.replayed], [409, "true"])
    assert.include(again.text, "was run")
  })

  it("lists, reads, writes and deletes files", patient, async () => {
    const bytes = new Uint8Array(1_500_000).map((_, index) => index % 251)
    const written = await put("data/big.bin", bytes, { "if-none-match": "*" })
    const { size_bytes, version } = (await written.json()) as { size_bytes: number; version: string }
    assert.deepStrictEqual([written.status, size_bytes], [200, bytes.length])
    assert.match(
      (await exec("sha256sum data/big.bin")).stdout,
      new RegExp(createHash("sha256").update(bytes).digest("hex"))
    )
    assert.strictEqual((await put("data/big.bin", "x", { "if-none-match": "*" })).status, 412)
    assert.strictEqual((await put("data/big.bin", "x", { "if-match": '"other"' })).status, 412)

    // Under a key it is done once, and other content is no repeat of it.
    const key = { "if-none-match": "*", "idempotency-key": "file-1" }
    const once = await put("data/once.txt", "once", key)
    const again = await put("data/once.txt", "once", key)
    assert.deepStrictEqual([again.status, await again.text()], [200, await once.text()])
    assert.strictEqual((await put("data/once.txt", "other", key)).status, 409)

    const whole = await ask(at("/files/content?path=data/big.bin"))
    assert.deepStrictEqual(new Uint8Array(await whole.arrayBuffer()), bytes)
    assert.strictEqual(whole.headers.get("etag"), `"${version}"`)
    const part = await ask(at("/files/content?path=data/big.bin"), { headers: { range: "bytes=1000000-1000009" } })
    assert.deepStrictEqual([part.status, part.headers.get("content-range")], [206, "bytes 1000000-1000009/1500000"])
    assert.deepStrictEqual(new Uint8Array(await part.arrayBuffer()), bytes.slice(1_000_000, 1_000_010))

    for (const name of ["a", "b", "c"]) assert.strictEqual((await put(`many/${name}`, name)).status, 200)
    const names: Array<string> = []
    for (let page: string | null = ""; page !== null;) {
      const { body } = await json("GET", at(`/files?path=many&limit=2${page === "" ? "" : `&page=${page}`}`))
      const { data, next_page } = body as { data: ReadonlyArray<{ path: string }>; next_page: string | null }
      names.push(...data.map(({ path }) => path.split("/").at(-1)!))
      page = next_page
    }
    assert.deepStrictEqual(names, ["a", "b", "c"])
    assert.deepStrictEqual(code(await json("DELETE", at("/files?path=many"))), [400, "file_not_empty"])
    assert.strictEqual((await json("DELETE", at("/files?path=many&recursive=true"))).status, 200)
    assert.deepStrictEqual(code(await json("GET", at("/files?path=many"))), [404, "file_not_found"])
    assert.deepStrictEqual(code(await json("GET", at("/files/content?path=data"))), [400, "file_not_a_file"])
  })

  it("takes and refuses ranges as downloads of files do", patient, async () => {
    assert.strictEqual((await put("page.html", rangedText)).status, 200)
    await takesRanges((headers) => ask(at("/files/content?path=page.html"), { headers }))
  })

  it("makes files of the session of what is there, once under a key", patient, async () => {
    const bytes = new Uint8Array(1_200_000).map((_, index) => index % 247)
    assert.strictEqual((await put("data/made.csv", bytes)).status, 200)
    const promote = async (body: object, more: Record<string, string> = {}, of = at("/files/promote")) => {
      const headers = { "content-type": "application/json", ...more }
      const response = await ask(of, { method: "POST", body: JSON.stringify(body), headers })
      return { status: response.status, body: (await response.json()) as never }
    }
    const twice = { path: "data/made.csv" }
    const [first, second] = [
      await promote(twice, { "idempotency-key": "p" }),
      await promote(twice, { "idempotency-key": "p" })
    ]
    const file = first.body as File
    assert.strictEqual(first.status, 200, JSON.stringify(file))
    assert.deepStrictEqual(second, first)
    const { filename, mime_type, scope, size_bytes, troupe } = file
    assert.deepStrictEqual([filename, mime_type, size_bytes], ["made.csv", "text/csv", bytes.length])
    assert.deepStrictEqual(scope as unknown, { type: "session", id: session })
    assert.deepStrictEqual(troupe, {
      sha256: createHash("sha256").update(bytes).digest("hex"),
      path: "/workspace/data/made.csv"
    } as never)
    // What is written afterwards changes nothing of it.
    assert.strictEqual((await put("data/made.csv", "other")).status, 200)
    const content = await ask(`/files/${file.id}/content`)
    assert.deepStrictEqual(new Uint8Array(await content.arrayBuffer()), bytes)
    const named = (await promote({ ...twice, filename: "other.txt" })).body as File
    assert.deepStrictEqual([named.filename, named.mime_type], ["other.txt", "text/plain"])
    const { data } = (await json("GET", `/files?scope_id=${session}`)).body as { data: ReadonlyArray<File> }
    assert.deepStrictEqual(data, [named, file])

    assert.strictEqual((await exec("ln -sfn /etc/passwd out; truncate -s 3M large; : > empty")).ending.exit_code, 0)
    assert.strictEqual((await promote({ path: "empty" })).status, 200)
    const refused: ReadonlyArray<readonly [object, number, string | RegExp]> = [
      [{ path: "nowhere" }, 404, "file_not_found"],
      [{ path: "data" }, 400, "file_not_a_file"],
      [{ path: "out" }, 400, "file_outside"],
      [{ path: "/etc/passwd" }, 400, "file_outside"],
      [{ path: "large" }, 413, /at most 2097152 bytes/],
      [{ path: "empty", filename: "a\u0007" }, 400, /characters that no name takes/],
      [{ path: "empty", filename: "x".repeat(256) }, 400, /at most 255/],
      [{ path: "empty", other: 1 }, 400, /other/],
      [{}, 400, /path/]
    ]
    for (const [body, status, why] of refused) {
      const [got, said] = code(await promote(body))
      assert.strictEqual(got, status, said)
      if (typeof why === "string") assert.strictEqual(said, why)
      else assert.match(said, why)
    }
    assert.strictEqual((await promote({ path: "x" }, {}, `/sessions/${fresh}/files/promote`)).status, 409)

    const key = async (path: string, body: object) =>
      ((await json("POST", path, body)).body as { secret: string }).secret
    const stranger = (await json("POST", "/workspaces", { name: "another" })).body as { id: string }
    const strangers = await key(`/workspaces/${stranger.id}/tokens`, { kind: "api_key", name: "k", scopes: ["admin"] })
    const users = await key("/tokens", {
      kind: "end_user",
      subject: "u",
      scopes: ["read", "write"],
      session_ids: [session]
    })
    const readers = await key("/tokens", { kind: "api_key", name: "r", scopes: ["read"] })
    const as = async (secret: string) => (await promote({ path: "empty" }, { "x-api-key": secret })).status
    assert.deepStrictEqual([await as(strangers), await as(users), await as(readers)], [404, 403, 403])
  })

  it("tells what is different since it was empty", patient, async () => {
    assert.strictEqual((await put("made.txt", "by a person\n")).status, 200)
    const { body } = await json("GET", at("/changes"))
    const { data, truncated } = body as {
      data: ReadonlyArray<{ path: string; change: string; text: string | null }>
      truncated: boolean
    }
    const made = data.find(({ path }) => path.endsWith("made.txt"))!
    assert.deepStrictEqual([made.change, truncated], ["added", false])
    assert.match(made.text!, /^\+by a person$/m)
    const log = await system.log(session as never)
    const captured = log.flatMap((event) => (event._tag === "WorkingCopyCaptured" ? [event.checkpoint] : []))
    const since = await json("GET", at(`/changes?from=${captured[0]!}`))
    const changed = (since.body as { data: typeof data }).data.find(({ path }) => path.endsWith("made.txt"))!
    assert.match(changed.text!, /^-by the agent$/m)
  })

  it("says what changes while it does", patient, async () => {
    const leave = new AbortController()
    const response = await ask(at("/files/watch"), { signal: leave.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ""
    for (let n = 0; !seen.includes("watched"); n++) {
      const writing = put(`watched${n}`, "x")
      seen += (await reader.read()).value ?? assert.fail("the stream ended")
      await writing
    }
    assert.match(seen, /event: (added|changed|rescan)\n/)
    leave.abort()
  })

  it("shows terminals, which go on without those who look at them", patient, async () => {
    const dial = (query: string) => {
      const socket = new WebSocket(url(at(`/terminal?${query}`)).replace("http", "ws"), {
        headers: { "x-api-key": apiKey }
      } as never)
      socket.binaryType = "arraybuffer"
      const told: Array<{ readonly type: string; readonly [field: string]: unknown }> = []
      const shown: Array<Uint8Array> = []
      const closed = new Promise<number>((resolve) => socket.addEventListener("close", (event) => resolve(event.code)))
      socket.addEventListener("message", ({ data }) => {
        if (typeof data === "string") told.push(JSON.parse(data))
        else shown.push(new Uint8Array(data))
      })
      return { socket, told, closed, text: () => Buffer.concat(shown).toString() }
    }
    const saying = (one: ReturnType<typeof dial>, words: RegExp) =>
      eventually(`it says ${words}`, async () => (words.test(one.text()) ? true : undefined))
    const first = dial("columns=100&rows=30")
    await eventually("it is open", async () => first.told[0])
    const id = String(first.told[0]!["terminal_id"])
    first.socket.send(new TextEncoder().encode("stty size; A=kept\n"))
    await saying(first, /30 100/)
    first.socket.send(JSON.stringify({ type: "resize", columns: 80, rows: 24 }))
    // The terminal changes beside what is typed into it, as terminals do.
    await eventually("it has the new size", async () => {
      if (/24 80/.test(first.text())) return true
      first.socket.send(new TextEncoder().encode("stty size\n"))
      await sleep(100)
      return undefined
    })
    first.socket.close()
    await first.closed
    const again = dial(`terminal_id=${id}`)
    await saying(again, /30 100[^]*24 80/)
    again.socket.send(new TextEncoder().encode('echo "still $A"; exit\n'))
    assert.strictEqual(await again.closed, 1000)
    assert.match(again.text(), /still kept/)
    assert.strictEqual(again.told.at(-1)!.type, "ended")
    const gone = dial("terminal_id=none")
    assert.strictEqual(await gone.closed, 1006)
    const garbage = dial("")
    await eventually("it is open", async () => garbage.told[0])
    garbage.socket.send("what?")
    assert.strictEqual(await garbage.closed, 4400)
    const noted = (await system.log(session as never)).map(({ _tag }) => _tag)
    assert.includeMembers(noted, ["TerminalOpened", "TerminalClosed"])
  })

  it("says why a terminal can't be had to those who ask without a socket, and leaves none open", patient, async () => {
    const opened = async () =>
      (await system.log(session as never)).filter(({ _tag }) => _tag === "TerminalOpened").length
    const before = await opened()
    // More than a session may have at once.
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => ask(at("/terminal"))))
      for (const { status } of answers) assert.strictEqual(status, 426)
    }
    assert.strictEqual(await opened(), before)
    const [status, message] = code(await json("GET", at("/terminal?terminal_id=none")))
    assert.strictEqual(status, 404)
    assert.match(message, /terminal_gone|There is no terminal none/)
    assert.strictEqual(code(await json("GET", `/sessions/${fresh}/terminal`))[0], 409)
  })

  it("is there for files that no program wrote, and gets a sandbox when somebody needs one", patient, async () => {
    const { events, id } = await open("write file notes.md by the agent")
    assert.strictEqual(events.filter(({ _tag }) => _tag === "SandboxCreated").length, 1)
    assert.match(await (await ask(`/sessions/${id}/files/content?path=notes.md`)).text(), /^by the agent/)
    const { body } = await json("POST", `/sessions/${id}/exec`, { command: "cat notes.md" })
    assert.match((body as { stdout: string }).stdout, /^by the agent/)
    const log = await system.log(id as never)
    assert.strictEqual(log.filter(({ _tag }) => _tag === "SandboxCreated").length, 1)
  })

  it("says plainly what there is where nothing runs", patient, async () => {
    const { body } = await json("POST", "/environments", { name: "still", troupe: { backend: "none" } })
    const environment_id = (body as { id: string }).id
    const { id } = await open("write file notes.md still\nrun: ls", { environment_id })
    assert.match(await (await ask(`/sessions/${id}/files/content?path=notes.md`)).text(), /^still/)
    const refused = await json("POST", `/sessions/${id}/exec`, { command: "ls" })
    assert.deepStrictEqual(code(refused), [409, "sandbox_nothing_runs"])
    assert.match(JSON.stringify(refused.body), /In the sandbox none nothing runs/)
  })

  const leavesSomething = "run: echo kept > kept.txt; setsid sleep 600 >/dev/null 2>&1 &"

  /** A session whose first turn has left a file, and something that runs. */
  const busy = async (more: object = {}) => {
    const { events, id } = await open(leavesSomething, more)
    const { sandboxId } = events.find((event) => event._tag === "SandboxCreated") ?? assert.fail("no sandbox was made")
    const home = join(system.runners[0]!.state, "sandboxes", sandboxId)
    return {
      ...{ id, sandboxId, home },
      rests: eventually.bind(null, "nothing runs there", () =>
        processesOf(sandboxId).length === 0 ? true : undefined
      ),
      goes: eventually.bind(null, "its directories are gone", () => (existsSync(home) ? undefined : true))
    }
  }

  it("rests as its environment says, or its session", patient, async () => {
    const environment = async (on_completion: string) => {
      const lifecycle = { on_completion, keep_failed: false, ttl_seconds: null }
      const { body } = await json("POST", "/environments", { name: on_completion, troupe: { lifecycle } })
      return { environment_id: (body as { id: string }).id }
    }
    const [stays, asleep, ofItself, gone] = await Promise.all([
      busy(),
      busy(await environment("sleep")),
      busy({ troupe: { lifecycle: { on_idle: "sleep" } } }),
      busy(await environment("delete"))
    ])
    for (const one of [asleep, ofItself, gone]) await one.rests()
    await gone.goes()
    assert.isNotEmpty(processesOf(stays.sandboxId))
    for (const { home, id } of [asleep, ofItself, gone]) {
      assert.strictEqual(existsSync(home), home !== gone.home)
      await system.say(system.nodes[0]!, id as never, "run: cat kept.txt")
      const events = (await system.turnsEnded(id as never, 2)).slice(-12)
      assert.include(wordsOf(events), "kept", id)
    }
    const restored = (await system.log(gone.id as never)).map(({ _tag }) => _tag)
    assert.includeMembers(restored, ["SandboxDestroyed", "SandboxRestored"])
  })

  it("goes with its session, with all that runs there, whoever deletes it", patient, async () => {
    const lifecycle = (part: object) => ({ troupe: { lifecycle: part } })
    const [byHand, done, old] = await Promise.all([
      busy(),
      busy(lifecycle({ on_idle: "delete" })),
      busy(lifecycle({ ttl_seconds: 1 }))
    ])
    assert.isTrue(existsSync(byHand.home))
    assert.strictEqual((await json("DELETE", `/sessions/${byHand.id}`)).status, 200)
    for (const one of [byHand, done, old]) {
      await one.goes()
      assert.strictEqual((await json("GET", `/sessions/${one.id}`)).status, 404)
      assert.deepStrictEqual(processesOf(one.sandboxId), [])
    }
  })

  it("goes with its session when its runner is back", patient, async () => {
    const [runner] = system.runners
    const [left, stays] = await Promise.all([busy(), busy()])
    assert.strictEqual(await runner!.stop("SIGTERM"), 0)
    assert.strictEqual((await json("DELETE", `/sessions/${left.id}`)).status, 200)
    assert.isTrue(existsSync(left.home))
    runner!.start()
    await left.goes()
    assert.isTrue(existsSync(stays.home))
  })

  it("refuses what is not there, is not allowed or makes no sense", patient, async () => {
    const [, none] = code(await json("POST", `/sessions/${fresh}/exec`, { command: "ls" }))
    assert.match(none, /no working copy yet/)
    assert.strictEqual((await json("POST", `/sessions/${system.mint("Session")}/exec`, { command: "ls" })).status, 404)
    for (const path of ["../../etc/passwd", "/etc/passwd", "/workspace/../etc/passwd"]) {
      const [status] = code(await json("GET", at(`/files?path=${encodeURIComponent(path)}`)))
      assert.strictEqual(status, 400, path)
    }
    assert.strictEqual((await exec("ln -s /etc/passwd link")).ending.exit_code, 0)
    assert.strictEqual((await ask(at("/files/content?path=link"))).status, 400)
    const bad = ["../../etc/passwd", "data/../../x", "/etc/passwd", "a\0b", "a".repeat(4_096), "a/".repeat(2_048)]
    for (const path of bad.map(encodeURIComponent)) {
      const answers = [
        await json("GET", at(`/files?path=${path}`)),
        await json("GET", at(`/files/content?path=${path}`)),
        await json("DELETE", at(`/files?path=${path}`)),
        await json("POST", at("/exec"), { command: "ls", cwd: decodeURIComponent(path) })
      ]
      const written = await put(decodeURIComponent(path), "x")
      answers.push({ status: written.status, body: (await written.json()) as never })
      for (const answer of answers) assert.match(code(answer).join(" "), /^400 (file_|sandbox_|.*(path|cwd|NUL))/)
    }
    for (const command of ["", [], ["a\0b"], 1, null]) {
      assert.strictEqual((await json("POST", at("/exec"), { command })).status, 400)
    }
    const changes = await json("GET", at(`/changes?from=sha256:${"0".repeat(64)}`))
    assert.strictEqual(changes.status, 400)
    const { data } = (await json("GET", "/runners")).body as { data: ReadonlyArray<{ id: string }> }
    const runner = data[0]!.id
    assert.strictEqual(
      (await json("POST", `/runners/${runner}/directories`, { path: "/etc", use: "copy" })).status,
      400
    )
    assert.strictEqual((await json("GET", `/runners/${system.mint("Runner")}/directories`)).status, 404)
  })

  it("is out of reach once its runner is revoked", patient, async () => {
    const runners = async () =>
      ((await json("GET", "/runners")).body as { data: ReadonlyArray<Record<string, unknown>> }).data
    const [runner] = await runners()
    // Whatever it can't use, it says why.
    for (const { reasons } of runner!["unusable"] as ReadonlyArray<{ reasons: ReadonlyArray<string> }>) {
      assert.isAbove(reasons.join("").length, 0)
    }
    assert.strictEqual((await json("DELETE", `/tokens/${String(runner!["token_id"])}`)).status, 200)
    assert.strictEqual((await runners())[0]!["status"], "revoked")
    const refused = await eventually("it is cut off", async () => {
      const answer = await json("POST", at("/exec"), { command: "true" })
      return answer.status === 200 ? undefined : answer.status
    })
    assert.oneOf(refused, [400, 409, 503])
  })
})
