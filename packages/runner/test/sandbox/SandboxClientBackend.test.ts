import { UnixLocalSandboxClient } from "@openai/agents/sandbox/local"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { hash } from "node:crypto"
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { requires } from "../../../../test/requires.ts"
import { sandboxClientBackend } from "../../src/sandbox/client/SandboxClientBackend.ts"
import { makeBench, readHost, run, writeHost } from "../../src/sandbox/conformance/Bench.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { holdsTo } from "./conformance.ts"
import { label, sandboxClient } from "./fixtures/docker-client.ts"
import { makeClient, sandboxClient as elsewhere } from "./fixtures/docker-elsewhere.ts"

const name = "unix-local"

requires("root")("a client of the OpenAI Agents SDK", () => {
  holdsTo({
    backend: sandboxClientBackend({ name, client: new UnixLocalSandboxClient(), isolation: "none" }),
    promises: ["running"]
  })

  it.live("that isolates, and does not lead to the egress proxy, is refused a network", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryState("troupe-sandbox-")
      const client = { backendId: "open", create: () => Promise.reject(new Error("it was asked all the same")) }
      const backend = sandboxClientBackend({
        name,
        client: client as never,
        isolation: "container",
        manifest: () => ({})
      })
      const probe = yield* backend.probe
      const bench = makeBench(backend, probe, join(directory, "state"))
      const network = { _tag: "Proxied", socket: join(directory, "egress.sock") } as const
      const error = yield* Effect.flip(bench.make({ network }))
      assert.strictEqual(error.message, "unix-local: Unusable: nothing keeps its processes to the egress proxy")
      assert.isFalse(probe.network)
    })
  )

  it.live("that can't do what it takes is unusable, and says why", () =>
    Effect.gen(function* () {
      const notes = (client: ConstructorParameters<typeof Object>[0]) =>
        Effect.map(
          sandboxClientBackend({ name, client: client as never, isolation: "none" }).probe,
          ({ notes, usable }) => [usable, ...notes]
        )
      assert.deepStrictEqual(yield* notes({ backendId: "empty" }), [
        false,
        "unix-local: Unusable: this client makes no sandboxes"
      ])
      const closed: Array<string> = []
      const mute = { state: {}, exec: () => {}, close: () => Promise.resolve(closed.push("closed")) }
      assert.deepStrictEqual(yield* notes({ backendId: "mute", create: () => Promise.resolve(mute) }), [
        false,
        "unix-local: Unusable: the sandboxes of this client can't run a command and be asked again"
      ])
      assert.deepStrictEqual(closed, ["closed"])
      // A machine that is elsewhere needs no more than commands, and programs that it may lack.
      const bare = (cmd: string) => promisify(execFile)("/bin/sh", ["-c", cmd], { env: { PATH: "/nowhere" } })
      const poor = {
        state: {},
        execCommand: ({ cmd }: { readonly cmd: string }) => bare(cmd).then(({ stdout }) => stdout)
      }
      const far = sandboxClientBackend({
        name,
        client: { backendId: "poor", create: () => Promise.resolve(poor) } as never,
        isolation: "container"
      })
      const [lacking] = (yield* far.probe).notes
      assert.match(lacking!, /^unix-local: Unusable: its machine lacks tar gzip base64 /)
      const broken = { backendId: "broken", create: () => Promise.reject(new Error("no credit")) }
      assert.deepStrictEqual(yield* notes(broken), [false, "unix-local: Failed: no credit"])
    })
  )
})

const isFull = process.env["TROUPE_FULL"] === "1"
const promises = ["running", "isolation"] as const

/** What the engine has of these containers. */
const containers = (labelled: string) =>
  execFileSync("docker", ["ps", "--all", "--quiet", "--filter", `label=${label}=${labelled}`], { encoding: "utf8" })
    .split("\n")
    .filter((id) => id !== "")

requires("docker", "root")("the SDK's own client of Docker", () => {
  holdsTo({
    backend: sandboxClientBackend(sandboxClient),
    promises,
    // How processes run is the same as above; what is this client's own is what it keeps them from.
    held: isFull ? promises : ["isolation"],
    ...(isFull ? {} : { only: /can be written|not root|files of the host/ })
  })
})

requires("docker", "root")("a client of machines that share no files with this host", () => {
  holdsTo({
    backend: sandboxClientBackend(elsewhere),
    promises,
    ...(isFull ? {} : { only: /inside and on the host|whole tree|opened by name|can be written/ })
  })

  it.live(
    "runs where there is nothing to be asked but single commands, and carries what is odd to carry",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-sandbox-")
        const client = makeClient()
        const create = async () => {
          const session = await client.create()
          return {
            state: session.state,
            execCommand: (args: { readonly cmd: string }) => session.execCommand(args),
            close: () => session.close()
          }
        }
        const backend = sandboxClientBackend({
          name,
          client: { backendId: "commands", create } as never,
          isolation: "container"
        })
        const { home, sandbox } = yield* makeBench(backend, yield* backend.probe, join(directory, "state")).make()
        yield* Effect.sync(() => {
          writeHost(home.workspace, "gone", "soon")
          writeHost(home.workspace, "turns", "into a directory")
          writeHost(home.workspace, "two\nlines", "stay")
          writeHost(home.uploads, "large", "x".repeat(700_000))
        })
        const long = "n".repeat(200)
        const { stdout } = yield* run(
          sandbox,
          [
            "rm gone turns; mkdir turns; echo in > turns/file; chmod 700 turns/file; ln -s /etc/passwd link; ln turns/file hard",
            `mkdir -p ${long}/${long}; echo deep > ${long}/${long}/file; printf 'a\\377' > "$(printf 'odd \\377')"`,
            "head -c 6000000 /dev/urandom > large; wc -c < /mnt/session/uploads/large; sha256sum < large"
          ].join("\n")
        )
        const seen = (name: string) => readHost(home.workspace, name)
        const digest = hash("sha256", readFileSync(join(home.workspace, "large")), "hex")
        assert.strictEqual(stdout, `700000\n${digest}  -\n`)
        assert.strictEqual(seen("turns/file") + seen("hard") + seen(`${long}/${long}/file`), "in\nin\ndeep\n")
        assert.strictEqual(statSync(join(home.workspace, "turns/file")).mode & 0o777, 0o700)
        assert.strictEqual(readlinkSync(join(home.workspace, "link")), "/etc/passwd")
        const names = readdirSync(home.workspace, { encoding: "latin1" }).toSorted()
        assert.deepStrictEqual(names, ["hard", "large", "link", long, "odd \u00ff", "turns", "two\nlines"])
        yield* Effect.sync(() => {
          writeHost(home.workspace, "large", "small now")
          rmSync(join(home.workspace, "turns"), { recursive: true })
        })
        const again = yield* run(sandbox, "cat large hard; ls -A | wc -l; [ -e turns ] || echo none")
        assert.strictEqual(again.stdout, "small nowin\n5\nnone\n")
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "has what a killed runner left with it taken away by the next one, and nothing else",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-sandbox-")
        const labelled = `left-${process.pid}`
        for (const { manifest, name: called } of [elsewhere, sandboxClient]) {
          const made = () =>
            sandboxClientBackend({
              name: called,
              client: makeClient(labelled),
              isolation: "container",
              ...(manifest === undefined ? {} : { manifest })
            })
          const bench = makeBench(made(), yield* elsewhereProbe, join(directory, called))
          const { sandbox } = yield* bench.make()
          yield* bench.make()
          const [first, second] = containers(labelled)
          assert.isDefined(second)
          const next = yield* made().resume(sandbox.spec)
          assert.strictEqual((yield* run(next, "echo here")).stdout, "here\n")
          assert.strictEqual(containers(labelled).length, 2)
          assert.strictEqual(containers(labelled).filter((id) => id === first || id === second).length, 1)
          yield* next.destroy
          assert.strictEqual(containers(labelled).length, 1)
          execFileSync("docker", ["rm", "--force", ...containers(labelled)])
        }
      }).pipe(Effect.scoped),
    120_000
  )
})

const elsewhereProbe = Effect.suspend(() => sandboxClientBackend(elsewhere).probe)
