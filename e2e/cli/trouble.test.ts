import { Troupe } from "@troupe/client"
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseAst } from "rolldown/parseAst"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import { type Ended, Running, until } from "../support/Running.ts"

const long = 240_000
const wrongKey = "k".repeat(40)

/** A few plain lines with the words, the right exit code, and nothing that only we would understand. */
const told = ({ code, stderr, stdout }: Ended, expected: number, words: ReadonlyArray<string | RegExp>) => {
  assert.strictEqual(code, expected, stdout + stderr)
  for (const word of words) {
    if (typeof word === "string") assert.include(stderr, word)
    else assert.match(stderr, word)
  }
  assert.isAtMost(stderr.trimEnd().split("\n").length, 6, stderr)
  assert.notMatch(stderr, /^\s+at |node:internal|undefined/m)
  assert.notInclude(stderr, wrongKey)
}

const listening = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  })

/** A port that nothing listens at. */
const closed = async () => {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

requires("postgres", "root")("troupe in trouble says what is wrong, and what to type,", () => {
  const troupe = new AllInOne()
  let up: Running
  const ends = (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
    troupe.ended(args, environment)
  const readiness = async () => {
    const answer = await fetch(`${troupe.url}/readyz`)
    return [answer.status, await answer.json()]
  }
  const away = (url: string) => ({ TROUPE_SERVER: url, TROUPE_API_KEY: wrongKey })

  beforeAll(async () => {
    up = await troupe.up()
  }, long)
  afterAll(() => troupe.remove(), long)

  it.concurrent("of a key that is wrong, and of one that has expired", { timeout: long }, async () => {
    const client = new Troupe({ baseURL: troupe.url, apiKey: troupe.key })
    const expires_at = new Date(Date.now() + 3_000).toISOString()
    const { secret } = await client.tokens.create({ kind: "api_key", name: "short", scopes: ["read"], expires_at })
    const ours = { TROUPE_API_KEY: secret }
    await until("it has expired", async () => (await ends(["sessions", "list"], ours)).code === 4)
    const cases = [
      [["sessions", "list"], secret],
      [["run", "x"], wrongKey],
      [["attach", "last"], wrongKey]
    ] as const
    const all = cases.map(async ([args, key]) =>
      told(await ends(args, { TROUPE_API_KEY: key }), 4, ["does not take this key", "Unset TROUPE_API_KEY"])
    )
    await Promise.all(all)
    const doctor = await ends(["doctor"], { TROUPE_API_KEY: wrongKey })
    assert.match(doctor.stdout, /BAD +key .*does not take this key.*\n +→ Unset TROUPE_API_KEY/)
    assert.strictEqual(doctor.code, 1)
  })

  it.concurrent("of a server that is not there, or is none of ours", { timeout: long }, async () => {
    const page = createServer((_, response) => response.end("<p>Hello</p>"))
    const other = `http://127.0.0.1:${await listening(page)}`
    const nothing = `http://127.0.0.1:${await closed()}`
    const gone = [`${nothing} can't be reached: nothing listens there`, "TROUPE_SERVER"]
    const cases = [
      [nothing, ["sessions", "list"], gone],
      [nothing, ["run", "x"], gone],
      [nothing, ["attach", "last"], gone],
      [other, ["run", "x"], ["Is it a Troupe server?", "TROUPE_SERVER"]]
    ] as const
    await Promise.all(cases.map(async ([url, args, words]) => told(await ends(args, away(url)), 3, words)))
    page.close()
    assert.match((await ends(["doctor"], away(nothing))).stdout, /BAD +key .*nothing listens there/)
  })

  it.concurrent("of a host that is on no network", { timeout: long }, async () => {
    for (const [url, words] of [
      ["http://192.0.2.1:4777", "no way leads there; is this host on a network?"],
      ["https://troupe.example.com", "its name can't be looked up; is this host on a network?"]
    ] as const) {
      told(await troupe.behind(["unshare", "-n"], ["sessions", "list"], away(url)).end(), 3, [words])
    }
  })

  it.concurrent("of a model that nobody knows, and of one whose key is missing", { timeout: long }, async () => {
    const chosen = "troupe models list"
    told(await ends(["run", "--model", "nowhere/none", "x"]), 1, ["No provider is known for", "nowhere/none", chosen])
    told(await ends(["run", "--model", "claude-sonnet-4-5", "x"]), 1, ["set ANTHROPIC_API_KEY", chosen])
  })

  it.concurrent("of a port that is taken", { timeout: long }, async () => {
    const { port } = new URL(troupe.url)
    const other = { TROUPE_HOME: join(troupe.home, "other"), TROUPE_PORT: port }
    told(await ends(["up"], other), 5, [`Port ${port} is taken`, `TROUPE_PORT=${Number(port) + 1} troupe up`])
    assert.match((await ends(["doctor"], other)).stdout, new RegExp(`BAD +port +Port ${port} is taken`))
  })

  it("of runners of which none is there, and goes on when one comes", { timeout: long }, async () => {
    // Who would start it again is stopped meanwhile.
    up.child.kill("SIGSTOP")
    process.kill(troupe.pid("runner")!, "SIGKILL")
    const waiting = troupe.run(["run", "--yes", "run: echo $((40 + 2))"])
    await waiting.says("It waits: no runner is connected")
    await waiting.says("troupe doctor looks for the reason")
    assert.deepStrictEqual(await readiness(), [503, { status: "unready", reason: "runner" }])
    assert.match((await ends(["doctor"])).stdout, /BAD +runner +it does not run\n +→/)
    up.child.kill("SIGCONT")
    const ended = await waiting.end()
    told(ended, 0, [])
    assert.include(ended.stdout, "42")
    assert.deepStrictEqual(await readiness(), [200, { status: "ready" }])
  })

  it("of a server that starts anew while it is followed", { timeout: long }, async () => {
    const following = troupe.run(["sessions", "log", "last", "-f"])
    await following.says("TurnCompleted")
    process.kill(troupe.pid("node")!, "SIGKILL")
    await following.says(`The connection to ${troupe.url} broke; nothing is lost, it is tried again.`)
    const { code, stderr } = await ends(["run", "--yes", "--continue", "run: echo $((50 + 5))"])
    assert.strictEqual(code, 0, stderr)
    await until("what came since is told", () => following.said.stdout.split("TurnCompleted").length === 3)
    following.child.kill("SIGINT")
    await following.end()
    assert.notMatch(following.said.stderr, /^\s+at /m)
  })
})

requires("postgres", "root")("troupe up, without bubblewrap and without a network,", () => {
  const troupe = new AllInOne()
  const layers = join(troupe.home, "layers")
  let up: Running
  const inside = (args: ReadonlyArray<string>) => troupe.behind(["nsenter", "-t", String(up.child.pid), "-n"], args)

  beforeAll(async () => {
    mkdirSync(layers)
    // Namespaces of its own: a network that leads nowhere, and system programs among which there is no bwrap.
    const script = `ip link set lo up
      mount -t tmpfs -o mode=755 none ${layers}
      mkdir ${layers}/upper ${layers}/work
      mknod ${layers}/upper/bwrap c 0 0
      mount -t overlay -o lowerdir=/usr/bin,upperdir=${layers}/upper,workdir=${layers}/work none /usr/bin
      exec "$@"`
    const key = { ANTHROPIC_API_KEY: "sk-none-that-anybody-would-take" }
    up = troupe.behind(["unshare", "--net", "--mount", "sh", "-ec", script, "sh"], ["up"], key)
    await up.says("Ctrl-C stops it.")
  }, long)
  afterAll(() => troupe.remove(), long)

  it("starts, and says what is not as it should be", { timeout: long }, async () => {
    assert.match(up.said.stdout, /sandbox +local: NO ISOLATION, tools ask before they run \(bubblewrap: .*\)/)
    assert.match(up.said.stdout, /models +demo; not anthropic: /)
    const { stdout } = await inside(["doctor"]).end()
    assert.match(stdout, /note +sandbox +local: NO ISOLATION.*\n +→ Install bubblewrap and socat/)
    assert.match(stdout, /note +network +this host is on no network\n +→ Connect it/)
    assert.match(stdout, /BAD +models +anthropic: .*\n +→/)
  })

  it("asks before it runs anything, and says how it need not", { timeout: long }, async () => {
    told(await inside(["run", "run: echo hello"]).end(), 5, [
      /waits for somebody. Answer it: troupe attach sesn_/,
      "--yes"
    ])
  })

  it("says that a model can't be reached, and that it is tried again", { timeout: long }, async () => {
    const running = inside(["run", "--model", "claude-sonnet-4-5", "hello"])
    await running.says("It is tried again by itself in")
    assert.match(running.said.stderr, /anthropic\/claude-sonnet-4-5: .*\n/)
    running.child.kill("SIGINT")
    const { code } = await running.end()
    assert.strictEqual(code, 130)
  })
})

requires("root")("troupe does not begin,", () => {
  const troupe = new AllInOne()
  afterAll(() => troupe.remove(), long)

  /** With a disk of its own mounted as its home. */
  const onDisk = (options: string, prepare: string, args: ReadonlyArray<string>) => {
    const script = `mount -t tmpfs -o mode=711,${options} none "$TROUPE_HOME"; ${prepare}; exec "$@"`
    return troupe.behind(["unshare", "--mount", "sh", "-ec", script, "sh"], args).end()
  }
  const elsewhere = "set TROUPE_HOME to another directory"

  it.concurrent("where its home is read-only", { timeout: long }, async () => {
    const said = ["can't be used: the file system is read-only", elsewhere]
    told(await onDisk("ro", "true", ["up"]), 4, said)
    told(await onDisk("ro", "true", ["run", "x"]), 4, said)
    assert.match((await onDisk("ro", "true", ["doctor"])).stdout, /BAD +home +.* can't be written to\n +→ chmod/)
  })

  it.concurrent("where the disk is full, or too small for a database", { timeout: long }, async () => {
    const fill = 'dd if=/dev/zero of="$TROUPE_HOME/large" bs=64k 2>/dev/null || true'
    const said = ["can't be used: the disk is full", "Make room there", elsewhere]
    told(await onDisk("size=1m", fill, ["up"]), 4, said)
    told(await onDisk("size=1m", fill, ["run", "x"]), 4, said)
    assert.match((await onDisk("size=1m", fill, ["doctor"])).stdout, /BAD +disk +0 MiB are free.*\n +→ Make room/)
    told(await onDisk("size=64m", "true", ["up"]), 4, ["its disk has 63 MiB left, and 200 MiB are needed", elsewhere])
  })
})

describe("A clone", () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-clone-"))
  const root = join(import.meta.dirname, "../..")
  const npmrc = join(folder, "npmrc")
  const scripts = join(folder, "scripts")
  const preload = (version: string) => {
    const file = join(folder, `as-${version}.cjs`)
    writeFileSync(
      file,
      `Object.defineProperty(process, "version", { value: "v${version}" })
       Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`
    )
    return file
  }
  const running = (words: readonly [string, ...ReadonlyArray<string>]) =>
    new Running(
      spawn(words[0], words.slice(1), {
        cwd: folder,
        // What is installed here is out of sight: it is a machine on which nothing was done yet.
        env: {
          PATH: "/usr/local/bin:/usr/bin:/bin",
          HOME: folder,
          npm_config_userconfig: npmrc,
          npm_config_fetch_retries: "0"
        },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ).end()

  beforeAll(() => {
    cpSync(join(root, "scripts"), scripts, { recursive: true })
    // As little as there can be to install: what is said of it is what is of interest.
    const name = "clone"
    const dependencies = { uqr: "0.1.3" }
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
    const uqr = "node_modules/uqr"
    const lock = { name, lockfileVersion: 3, packages: { "": { name, dependencies }, [uqr]: packages[uqr] } }
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, dependencies }))
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.concurrent(
    "says that Node is too old, before it reads what comes behind the gate",
    { timeout: long },
    async () => {
      const { scripts: all } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
      const unread = join(folder, "unread.mjs")
      writeFileSync(unread, "no JavaScript at all")
      for (const name of ["start", "test", "demo"]) {
        const [options] = all[name].match(/(?<=^(?:exec )?node ).*?(?= scripts\/\w+\.mjs)/)
        for (const [version, file] of [
          ["0.10.48", unread],
          ["12.22.12", unread],
          ["18.20.8", join(scripts, "start.mjs")]
        ] as const) {
          const ended = await running([process.execPath, "-r", preload(version), ...options.split(" "), file])
          told(ended, 1, [`Node ${version} is too old; put Node 20 or newer first in PATH`])
        }
      }
      const troupe = join(root, "packages/cli/bin/troupe.mjs")
      told(await running([process.execPath, "-r", preload("12.22.12"), troupe]), 1, ["Node 12.22.12 is too old"])
    }
  )

  it("has a gate that a Node of any age can read", () => {
    const about =
      /^(?:Program|\w+Statement|\w+Expression|VariableDeclarat(?:ion|or)|FunctionDeclaration|CatchClause|Identifier|Literal|Property|SwitchCase)$/
    const newer = /^(?:ArrowFunction|Await|Class|Import|MetaProperty|TaggedTemplate|Yield|Chain|ForOf|V8Intrinsic)/
    const newerIn = (code: string) => {
      const found: Array<string> = []
      JSON.stringify(parseAst(code, { lang: "js" }), (key, value) => {
        const { async, computed, generator, kind, method, operator, param, shorthand, type } = value ?? {}
        const isNewer =
          typeof type === "string" &&
          (!about.test(type) ||
            newer.test(type) ||
            ["let", "const"].includes(kind) ||
            [async, generator, method, shorthand, type === "Property" && computed].includes(true) ||
            ["**", "**=", "??", "??=", "||=", "&&="].includes(operator) ||
            (type === "CatchClause" && param === null))
        if (isNewer) found.push(`${key}: ${type}`)
        return value
      })
      return found
    }
    assert.deepStrictEqual(newerIn(readFileSync(join(scripts, "gate.cjs"), "utf8")), [])
    const samples = ["let a", "() => 1", "`a`", "a ?? b", "a?.b", "import('a')", "[...a]", "({ a })", "async () => 1"]
    for (const sample of samples) assert.isNotEmpty(newerIn(sample), sample)
  })

  it.concurrent("hands troupe over from an older Node to the pinned one", { timeout: long }, async () => {
    const troupe = join(root, "packages/cli/bin/troupe.mjs")
    const ended = await running([process.execPath, "-r", preload("20.19.0"), troupe, "--version"])
    told(ended, 0, [])
    assert.match(ended.stdout, /\d+\.\d+\.\d+/)
  })

  it.concurrent("says that nothing can be installed without a network", { timeout: long }, async () => {
    const node = process.execPath
    const ended = await running(["unshare", "--map-root-user", "--net", node, join(scripts, "start.mjs")])
    told(ended, 1, ["npm ci failed: the npm registry can't be reached", "Connect this host to a network"])
  })
})
