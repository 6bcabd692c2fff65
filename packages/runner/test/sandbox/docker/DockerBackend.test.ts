import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { renameSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../../test/requires.ts"
import { makeBench, run, start } from "../../../src/sandbox/conformance/Bench.ts"
import { listContainers } from "../../../src/sandbox/docker/Engine.ts"
import { defaults, type DockerOptions, make } from "../../../src/sandbox/docker/DockerBackend.ts"
import { connect } from "../../../src/sandbox/docker/EngineApi.ts"
import type { SandboxSpec } from "../../../src/sandbox/Sandbox.ts"
import { temporaryState } from "../../../src/sandbox/trial.ts"

const small = "troupe-sandbox-small:1"
const timeout = 120_000

/** A backend of an owner of its own, with somewhere to put sandboxes. */
const world = Effect.fnUntraced(function* (options: Partial<DockerOptions> = {}) {
  const owner = `test-${randomUUID()}`
  const backend = make({ ...defaults, owner, image: small, ...options })
  const directory = yield* temporaryState("troupe-docker-")
  const bench = makeBench(backend, yield* backend.probe, join(directory, "state"), { variables: { PATH: "/bin" } })
  const engine = yield* connect(defaults.socketPath)
  const containers = Effect.map(listContainers(engine, { owner }), (all) => all.length)
  return { backend, bench, containers }
})

/** Nobody has to be at the socket for there to be a way to it. */
const proxied = (directory: string) => ({ _tag: "Proxied", socket: join(directory, "proxy.sock") }) as const

const test = (name: string, effect: () => Effect.Effect<void, unknown, never>) => it.live(name, effect, timeout)

requires("docker", "root")("docker, where nothing can be relied on", () => {
  test("an image that holds one static program is enough", () =>
    Effect.gen(function* () {
      const { bench } = yield* world()
      const { sandbox } = yield* bench.make()
      const { ending, stdout } = yield* run(sandbox, "(setsid sleep 600 &) ; echo said; exit 4")
      assert.deepStrictEqual([stdout, ending], ["said\n", { _tag: "Exited", code: 4 }])
    }).pipe(Effect.scoped))

  test("who kills the keeper ends the sandbox's processes, and not the sandbox", () =>
    Effect.gen(function* () {
      const { bench } = yield* world()
      const { sandbox } = yield* bench.make()
      const killing = yield* run(sandbox, "kill -9 -1; sleep 600", { timeoutMs: 60_000 })
      assert.notStrictEqual(killing.ending._tag, "Exited")
      const { stdout } = yield* run(sandbox, "echo again")
      assert.strictEqual(stdout, "again\n")
    }).pipe(Effect.scoped))

  test("who stops the keeper is ended nevertheless", () =>
    Effect.gen(function* () {
      const { bench } = yield* world()
      const { sandbox } = yield* bench.make()
      const stopping = `for p in /proc/[0-9]*; do p=\${p#/proc/}; [ $p = $$ ] || kill -STOP $p; done; sleep 600`
      const { ending } = yield* run(sandbox, stopping, { timeoutMs: 1_000 })
      assert.deepStrictEqual(ending, { _tag: "TimedOut", afterMs: 1_000 })
      const { stdout } = yield* run(sandbox, "ps | grep -c '[s]leep 600'")
      assert.strictEqual(stdout, "0\n")
    }).pipe(Effect.scoped))

  test("who answers in the keeper's place is not believed", () =>
    Effect.gen(function* () {
      const { bench } = yield* world()
      const { sandbox } = yield* bench.make()
      // Stops the keeper, reads its orders and says that they were carried out.
      const lying = `keeper=$(grep -l "^PPid:.1$" /proc/[0-9]*/status | head -1); keeper=\${keeper#/proc/}; keeper=\${keeper%/status}
        kill -STOP $keeper; sleep 600 & sleep 600 &
        while read -r number order; do echo "$number done" > /proc/$keeper/fd/1; done < /proc/$keeper/fd/0`
      const { ending } = yield* run(sandbox, lying, { timeoutMs: 2_000 })
      assert.deepStrictEqual(ending, { _tag: "TimedOut", afterMs: 2_000 })
      const { stdout } = yield* run(sandbox, "ps | grep -c '[s]leep 600'")
      assert.strictEqual(stdout, "0\n")
    }).pipe(Effect.scoped))

  test("a sandbox whose container has ended goes on in a new one of the same", () =>
    Effect.gen(function* () {
      const { backend, bench } = yield* world()
      const { sandbox } = yield* bench.make()
      yield* run(sandbox, "echo kept > kept; kill -9 -1")
      const again = yield* backend.resume(sandbox.spec)
      assert.strictEqual((yield* run(again, "cat kept")).stdout, "kept\n")
      yield* again.destroy
    }).pipe(Effect.scoped))

  test("a runner that starts again ends what the one before it left running", () =>
    Effect.gen(function* () {
      const { backend, bench } = yield* world()
      const { sandbox } = yield* bench.make()
      yield* start(sandbox, "(setsid sleep 600 &) ; sleep 601")
      const again = yield* backend.resume(sandbox.spec)
      assert.strictEqual((yield* run(again, "ps | grep -c '[s]leep 60'")).stdout, "0\n")
    }).pipe(Effect.scoped))

  test("a sandbox leaves no container", () =>
    Effect.gen(function* () {
      const { bench, containers } = yield* world({ image: defaults.image })
      const { sandbox } = yield* bench.make({ network: proxied(bench.directory) })
      assert.strictEqual(yield* containers, 2)
      yield* sandbox.destroy
      assert.strictEqual(yield* containers, 0)
    }).pipe(Effect.scoped))

  test("the way out is there again after the container has ended", () =>
    Effect.gen(function* () {
      const { bench } = yield* world({ image: defaults.image })
      const { sandbox } = yield* bench.make({ network: proxied(bench.directory) })
      const listens = "grep -c ':0C38 00000000:0000 0A' /proc/net/tcp"
      assert.strictEqual((yield* run(sandbox, listens)).stdout, "1\n")
      yield* run(sandbox, "kill -9 -1")
      assert.strictEqual((yield* run(sandbox, listens)).stdout, "1\n")
    }).pipe(Effect.scoped))

  test("a sandbox that can't be made leaves nothing", () =>
    Effect.gen(function* () {
      const { bench, containers } = yield* world({ image: "troupe-no-such-image:1" })
      assert.include(bench.probe.notes.join(), "troupe-no-such-image:1 is missing")
      assert.isFalse(bench.probe.usable)
      const error = yield* Effect.flip(bench.make())
      assert.strictEqual(error._tag === "SandboxError" ? error.reason._tag : error._tag, "Unusable")
      assert.strictEqual(yield* containers, 0)
    }).pipe(Effect.scoped))

  test("containers of homes that are gone are collected, and no others", () =>
    Effect.gen(function* () {
      const { backend, bench, containers } = yield* world()
      const [stays, goes] = [yield* bench.make(), yield* bench.make()]
      const { home } = goes
      yield* Effect.acquireRelease(
        Effect.sync(() => renameSync(home.home, `${home.home}.away`)),
        () => Effect.sync(() => renameSync(`${home.home}.away`, home.home))
      )
      assert.lengthOf(yield* backend.collect, 1)
      assert.strictEqual(yield* containers, 1)
      assert.strictEqual((yield* run(stays.sandbox, "echo here")).stdout, "here\n")
    }).pipe(Effect.scoped))

  test("a runtime that the engine lacks is named", () =>
    Effect.gen(function* () {
      const { bench } = yield* world({ runtime: "no-such-runtime" })
      assert.isFalse(bench.probe.usable)
      assert.include(bench.probe.notes.join(), "no runtime no-such-runtime")
    }).pipe(Effect.scoped))

  test("an engine that is not there is named", () =>
    Effect.gen(function* () {
      const backend = make({ ...defaults, owner: "test", socketPath: "/nowhere/engine.sock" })
      const probe = yield* backend.probe
      assert.isFalse(probe.usable)
      assert.include(probe.notes.join(), "/nowhere/engine.sock")
      const { reason } = yield* Effect.flip(backend.create({} as SandboxSpec))
      assert.strictEqual(reason._tag, "Unusable")
    }))
})
