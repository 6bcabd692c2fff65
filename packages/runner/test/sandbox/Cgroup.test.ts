import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { cgroupsThatWork, findCgroups, openCgroup } from "../../src/sandbox/Cgroup.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

const size = { cpus: 1.5, memoryMb: 128, diskMb: 16, processes: 32 }

/** What a kernel with control groups of version 2 shows; it takes what is written, and makes nothing of it. */
const version2 = Effect.fnUntraced(function* () {
  const root = yield* temporaryState("troupe-cgroup-")
  writeFileSync(join(root, "cgroup.controllers"), "cpu memory pids\n")
  writeFileSync(join(root, "cgroup.subtree_control"), "cpu memory pids\n")
  return root
})

const read = (...path: ReadonlyArray<string>) => readFileSync(join(...path), "utf8")

describe("control groups of version 2", () => {
  it.effect("hand their controllers on, hold the sandbox's limits, and keep processes in leaves", () =>
    Effect.gen(function* () {
      const root = yield* version2()
      const host = findCgroups(root)
      assert.deepStrictEqual(host, { version: 2, parent: join(root, "troupe") })
      if (host === undefined) return
      // The kernel makes these with the directory; where swap cannot be held, its file is missing.
      const sandbox = join(root, "troupe/one")
      const leaf = openCgroup(host, "one", size).leaf("exec-1")
      leaf.join(4_711)
      assert.strictEqual(read(root, "troupe/cgroup.subtree_control"), "+memory +pids +cpu")
      assert.strictEqual(read(sandbox, "cgroup.subtree_control"), "+memory +pids +cpu")
      assert.strictEqual(read(sandbox, "memory.max"), String(128 * 1_048_576))
      assert.isFalse(existsSync(join(sandbox, "memory.swap.max")))
      assert.strictEqual(read(sandbox, "pids.max"), "32")
      assert.strictEqual(read(sandbox, "cpu.max"), "150000 100000")
      assert.strictEqual(read(sandbox, "exec-1/cgroup.procs"), "4711")
      assert.deepStrictEqual(leaf.processes(), [4_711])
      writeFileSync(join(sandbox, "exec-1/memory.events"), "low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
      assert.strictEqual(leaf.outOfMemoryKills(), 2)
    })
  )

  it.effect("are looked for beside ourselves where the root is not ours to divide", () =>
    Effect.gen(function* () {
      const root = yield* version2()
      writeFileSync(join(root, "cgroup.subtree_control"), "cpu\n", { mode: 0o400 })
      const slice = join(root, "user.slice/app.slice")
      mkdirSync(join(slice, "runner.scope"), { recursive: true })
      writeFileSync(join(slice, "cgroup.subtree_control"), "cpu memory pids\n")
      const found = findCgroups(root, join(slice, "runner.scope"))
      // Root may write what nobody else may, so for root it is the first place.
      assert.deepStrictEqual(found, {
        version: 2,
        parent: join(process.getuid?.() === 0 ? root : slice, "troupe")
      })
    })
  )

  it.effect("are not used where nothing comes of what is shown", () =>
    Effect.gen(function* () {
      // A directory that keeps files after its removal is no control group.
      const root = yield* version2()
      assert.isDefined(findCgroups(root))
      assert.isUndefined(cgroupsThatWork(findCgroups(root)))
      assert.isUndefined(findCgroups(join(root, "nowhere")))
    })
  )
})

requires("root")("control groups of this machine", () => {
  it.live("end whatever is in them, and go", () =>
    Effect.gen(function* () {
      const host = cgroupsThatWork(findCgroups())
      assert.isDefined(host, "this machine has control groups")
      if (host === undefined) return
      const name = `test-${process.pid}`
      const group = openCgroup(host, name, size)
      const leaf = group.leaf("exec-1")
      const child = spawn("sh", ["-c", "sleep 600 & sleep 600"], { stdio: "ignore" })
      const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_, signal) => resolve(signal)))
      leaf.join(child.pid ?? -1)
      assert.include(leaf.processes(), child.pid)
      assert.isFalse(leaf.remove(), "a group with processes stays")
      leaf.kill()
      assert.strictEqual(yield* Effect.promise(() => ended), "SIGKILL")
      while (!group.remove()) yield* Effect.sleep(5)
      const parent = host.version === 1 ? host.parents.memory : host.parent
      assert.isFalse(existsSync(join(parent, name)))
    })
  )
})
