import { assert, describe, it } from "@effect/vitest"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, Fiber, Result } from "effect"
import { spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { capture } from "../../src/workingcopy/Checkpoints.ts"
import { open } from "../../src/workingcopy/SafeDirectory.ts"
import { MemoryBlobs } from "../support/MemoryBlobs.ts"
import { bytes, fill, makeDeep, scratch, text } from "../support/scratch.ts"

const world = Effect.gen(function* () {
  const home = yield* scratch
  const root = join(home, "root")
  fill(home, { "outside/file": "a secret", "root/inside/file": "inside" })
  symlinkSync(join(home, "outside"), join(root, "link"))
  return { home, root, files: yield* open({ root, at: "/workspace" }) }
})

const reason = <A>(work: Effect.Effect<A, FileError>) => Effect.map(Effect.flip(work), (error) => error.reason._tag)

/**
 * Another process that swaps root/inside with a link to outside, from before this returns until the scope closes. Where
 * what it swaps is removed, it ends with it.
 */
const swapping = (root: string, mayEnd = false) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof spawn>>((resume) => {
      const program = join(import.meta.dirname, "../support/swapper-main.ts")
      const names = ["inside", "link", "aside"].map((name) => join(root, name))
      const child = spawn(process.execPath, [program, ...names], {
        stdio: ["ignore", "pipe", mayEnd ? "ignore" : "inherit"]
      })
      child.stdout!.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null) return resume(mayEnd ? Effect.void : Effect.die("the swapper ended by itself"))
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

/** Does it again until it has both succeeded and been refused often enough, so that the race was surely met. */
const often = Effect.fnUntraced(function* <A>(work: Effect.Effect<A, FileError>, check: (value: A) => void) {
  let done = 0
  let refused = 0
  for (let round = 0; round < 200_000 && (done < 300 || refused < 300); round++) {
    const result = yield* Effect.result(work)
    if (Result.isSuccess(result)) {
      check(result.success)
      done++
    } else {
      assert.include(["Outside", "NotFound", "Stale", "NotADirectory"], result.failure.reason._tag)
      refused++
    }
    if (round % 50 === 0) yield* Effect.yieldNow
  }
  assert.isAtLeast(done, 300)
  assert.isAtLeast(refused, 300)
})

const outsideOf = (home: string) => readdirSync(join(home, "outside"))

describe("A directory that is swapped for a link all the time", { timeout: 180_000 }, () => {
  it.live("never gives what is outside", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      yield* swapping(root)
      yield* often(files.read("inside/file"), (content) => assert.strictEqual(text(content.bytes), "inside"))
      yield* often(files.list("inside"), ({ entries }) =>
        assert.notInclude(
          entries.map(({ size }) => size),
          "a secret".length
        )
      )
    })
  )

  it.live("never has anything written, made, moved or removed outside", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      yield* swapping(root)
      let round = 0
      const write = Effect.suspend(() => files.write(`inside/new${++round % 7}`, bytes("x")))
      yield* often(write, () => assert.deepStrictEqual(outsideOf(home), ["file"]))
      const made = Effect.suspend(() => files.makeDirectory(`inside/made${++round}`))
      yield* often(made, () => assert.deepStrictEqual(outsideOf(home), ["file"]))
      const replaced = files.write("inside/file", bytes("inside"))
      yield* often(replaced, () => assert.strictEqual(readFileSync(join(home, "outside/file"), "utf8"), "a secret"))
      const removed = Effect.andThen(files.write("inside/brief", bytes("x")), files.remove("inside/brief"))
      yield* often(removed, () => assert.deepStrictEqual(outsideOf(home), ["file"]))
      assert.strictEqual(readFileSync(join(home, "outside/file"), "utf8"), "a secret")
    })
  )

  it.live("never has a capture take what is outside", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      yield* files.makeDirectory("inside/deep/down", { parents: true })
      fill(root, { "inside/deep/down/file": "inside" })
      yield* swapping(root)
      const blobs = new MemoryBlobs()
      const tree = { root: { root, at: "/workspace" }, state: join(home, "state") }
      let full = 0
      for (let round = 0; round < 300; round++) {
        const captured = yield* Effect.result(capture(tree, blobs))
        if (Result.isSuccess(captured) && captured.success.files > 0) full++
      }
      assert.isAbove(full, 10)
      const content = [...blobs.stored.values()].map(text)
      assert.isTrue(content.includes("inside"))
      assert.isFalse(content.includes("a secret"))
    })
  )

  it.live("is removed without what the link leads to", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      for (let n = 0; n < 200; n++) fill(root, { [`inside/d${n}/f`]: "x" })
      yield* swapping(root, true)
      for (let round = 0; round < 30; round++) {
        yield* Effect.result(files.remove("inside/d1", { recursive: true }))
        yield* Effect.result(files.walk("inside"))
      }
      yield* Effect.result(files.remove("inside", { recursive: true }))
      yield* Effect.result(files.remove("aside", { recursive: true }))
      assert.deepStrictEqual(outsideOf(home), ["file"])
    })
  )
})

describe("What is no regular file", { timeout: 180_000 }, () => {
  it.effect("is not opened, waited for or written", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      spawnSync("mkfifo", [join(root, "fifo")])
      yield* listening(join(root, "socket"))
      for (const name of ["fifo", "socket"]) {
        assert.strictEqual(yield* reason(files.read(name)), "NotAFile")
        assert.strictEqual(yield* reason(files.write(name, bytes("x"))), "NotAFile")
      }
      const kinds = (yield* files.list(".")).entries.map(({ kind }) => kind)
      assert.deepStrictEqual(kinds, ["fifo", "directory", "symlink", "socket"])
      yield* files.remove("fifo")
      assert.isFalse(existsSync(join(root, "fifo")))
      assert.isTrue(existsSync(home))
    })
  )

  it.effect("is not reached by tricks of /proc", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      for (const target of ["/proc/self/cwd", "/proc/self/fd/0", "/proc/1/root", "/dev/stdin"]) {
        symlinkSync(target, join(root, "trick"))
        assert.strictEqual(yield* reason(files.read("trick")), "Outside")
        assert.strictEqual(yield* reason(files.list("trick")), "Outside")
        yield* files.remove("trick")
      }
    })
  )
})

const listening = (path: string) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer()
      server.listen(path, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

describe("A tree", { timeout: 180_000 }, () => {
  it.live("of 10,000 levels is walked and removed", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      makeDeep(join(root, "deep"), 10_000)
      const walked = yield* files.walk("deep", { directories: true })
      assert.isFalse(walked.isComplete)
      assert.isAbove(walked.entries.length, 1_000)
      yield* files.remove("deep", { recursive: true })
      assert.isFalse(existsSync(join(root, "deep")))
    })
  )

  it.live("with 20,000 files in one directory is listed and removed", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      for (let n = 0; n < 20_000; n++) writeFileSync(join(root, "inside", `f${n}`), "")
      const page = yield* files.list("inside", { limit: 3 })
      assert.deepStrictEqual(
        page.entries.map(({ path }) => path),
        ["inside/f0", "inside/f1", "inside/f10"]
      )
      const { entries, isComplete } = yield* files.glob("inside/f1*", { limit: 50 })
      assert.strictEqual(entries.length, 50)
      assert.isFalse(isComplete)
      yield* files.remove("inside", { recursive: true })
      assert.isFalse(existsSync(join(root, "inside")))
    })
  )

  it.live("leaves the process to others while it is worked on", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      for (let n = 0; n < 20_000; n++) writeFileSync(join(root, "inside", `f${n}`), "")
      let turns = 0
      const counter = setInterval(() => turns++, 1)
      yield* files.walk(".")
      yield* files.remove("inside", { recursive: true })
      clearInterval(counter)
      assert.isAbove(turns, 3)
    })
  )
})

const nobody = { uid: 65_534, gid: 65_534 }

requires("root")("Files of others", () => {
  const shared = Effect.gen(function* () {
    const { home, root } = yield* world
    chownSync(root, nobody.uid, nobody.gid)
    return { home, root, files: yield* open({ root, owner: nobody }) }
  })

  it.effect("are not given by a hard link to them", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* shared
      linkSync(join(home, "outside/file"), join(root, "hard"))
      assert.strictEqual(yield* reason(files.read("hard")), "Denied")
      const probing = files.write("hard", bytes("x"), { expected: { _tag: "Sha256", sha256: "x" } })
      assert.strictEqual(yield* reason(probing), "Denied")
      yield* files.write("hard", bytes("mine"))
      assert.strictEqual(readFileSync(join(home, "outside/file"), "utf8"), "a secret")
      writeFileSync(join(root, "own"), "own")
      chownSync(join(root, "own"), nobody.uid, nobody.gid)
      linkSync(join(root, "own"), join(root, "own2"))
      assert.strictEqual(text((yield* files.read("own2")).bytes), "own")
    })
  )

  it.effect("are not made: what is new belongs to the sandbox", () =>
    Effect.gen(function* () {
      const { files, root } = yield* shared
      yield* files.write("a/b/c", bytes("x"), { parents: true })
      for (const path of ["a", "a/b", "a/b/c"]) assert.strictEqual(lstatSync(join(root, path)).uid, nobody.uid)
    })
  )

  it.effect("of a device are not opened", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      spawnSync("mknod", [join(root, "null"), "c", "1", "3"])
      assert.strictEqual(yield* reason(files.read("null")), "NotAFile")
      assert.strictEqual((yield* files.stat("null")).kind, "device")
    })
  )

  it.effect("leave a full disk as it was", () =>
    Effect.gen(function* () {
      const home = yield* scratch
      const root = yield* smallDisk(home)
      const files = yield* open({ root })
      yield* files.write("kept", bytes("kept"))
      const large = new Uint8Array(4 * 1_048_576).fill(1)
      assert.strictEqual(yield* reason(files.write("kept", large)), "NoSpace")
      assert.strictEqual(yield* reason(files.write("new", large)), "NoSpace")
      assert.deepStrictEqual(readdirSync(root), ["kept"])
      assert.strictEqual(readFileSync(join(root, "kept"), "utf8"), "kept")
    })
  )
})

const smallDisk = (home: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = join(home, "disk")
      mkdirSync(path)
      const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path])
      if (status !== 0) throw new Error(stderr.toString())
      return path
    }),
    (path) => Effect.sync(() => spawnSync("umount", [path]))
  )

describe("What is opened", { timeout: 180_000 }, () => {
  const opened = () => readdirSync("/proc/self/fd").length

  it.live("is closed, whether work succeeds, is refused or is interrupted", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      for (let n = 0; n < 5_000; n++) writeFileSync(join(root, "inside", `f${n}`), "")
      for (let n = 0; n < 20; n++) fill(root, { [`deep/${"d/".repeat(n)}f`]: "" })
      const before = opened()
      for (let round = 0; round < 200; round++) {
        yield* files.read("inside/file")
        yield* Effect.flip(files.read("link/file"))
        yield* Effect.flip(files.read("inside/file/x"))
        yield* Effect.flip(files.write("nothing/file", bytes("x")))
      }
      for (const work of [files.walk("."), files.list("inside"), files.remove(".", { recursive: true })]) {
        const fiber = yield* Effect.forkChild(Effect.result(work as Effect.Effect<unknown, FileError>))
        yield* Effect.yieldNow
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      }
      const removing = yield* Effect.forkChild(files.remove("inside", { recursive: true }))
      while (readdirSync(join(root, "inside")).length > 4_990) yield* Effect.yieldNow
      yield* Fiber.interrupt(removing)
      assert.isTrue(existsSync(join(root, "inside")))
      assert.strictEqual(opened(), before)
    })
  )
})

describe("A place", { timeout: 180_000 }, () => {
  it.effect("that is no directory, or a link to one, is not served", () =>
    Effect.gen(function* () {
      const { home, root } = yield* world
      assert.strictEqual(yield* reason(Effect.scoped(open({ root: join(home, "none") }))), "NotFound")
      assert.strictEqual(yield* reason(Effect.scoped(open({ root: join(home, "outside/file") }))), "NotADirectory")
      assert.strictEqual(yield* reason(Effect.scoped(open({ root: join(root, "link") }))), "NotADirectory")
    })
  )
})

requires("root", "open-checkout")("Files of another account", () => {
  it.effect("do not stay because a directory is locked", () =>
    Effect.gen(function* () {
      const { root } = yield* world
      fill(root, { "locked/in/file": "x" })
      chmodSync(join(root, "locked/in/file"), 0)
      chmodSync(join(root, "locked/in"), 0)
      chmodSync(join(root, "locked"), 0o500)
      // As another account, since to root no mode is a lock.
      const program = `
        import { Effect } from "effect"
        import { open } from ${JSON.stringify(join(import.meta.dirname, "../../src/workingcopy/SafeDirectory.ts"))}
        process.exitCode = await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
          const files = yield* open({ root: ${JSON.stringify(root)} })
          const refused = yield* Effect.flip(files.read("locked/in/file"))
          yield* files.remove("locked", { recursive: true })
          return refused.reason._tag === "Denied" ? 0 : 1
        })))`
      chmodSync(join(root, ".."), 0o755)
      spawnSync("chown", ["-R", "65534:65534", root])
      const { status, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
        uid: nobody.uid,
        gid: nobody.gid,
        cwd: import.meta.dirname
      })
      assert.strictEqual(status, 0, stderr.toString())
      assert.isFalse(existsSync(join(root, "locked")))
      assert.isTrue(existsSync(join(root, "inside")))
    })
  )
})
