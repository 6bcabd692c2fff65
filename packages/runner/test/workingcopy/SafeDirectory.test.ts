import { assert, describe, it } from "@effect/vitest"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect } from "effect"
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { open } from "../../src/workingcopy/SafeDirectory.ts"
import { bytes, fill, scratch, text } from "../support/scratch.ts"

const world = Effect.gen(function* () {
  const home = yield* scratch
  const root = join(home, "root")
  fill(home, { secret: "secret", "root/a.txt": "hello", "root/sub/b.txt": "there" })
  return { home, root, files: yield* open({ root, at: "/workspace" }) }
})

const reason = <A>(work: Effect.Effect<A, FileError>) => Effect.map(Effect.flip(work), (error) => error.reason._tag)

describe("Reading", { timeout: 180_000 }, () => {
  it.effect("takes paths relative and as the sandbox sees them", () =>
    Effect.gen(function* () {
      const { files } = yield* world
      for (const path of ["a.txt", "./a.txt", "/workspace/a.txt", "sub/../a.txt", "//workspace//a.txt"]) {
        assert.strictEqual(text((yield* files.read(path)).bytes), "hello", path)
      }
    })
  )

  it.effect("gives ranges, and refuses what is too large to give whole", () =>
    Effect.gen(function* () {
      const { files } = yield* world
      assert.strictEqual(text((yield* files.read("a.txt", { offset: 1, length: 3 })).bytes), "ell")
      assert.strictEqual(text((yield* files.read("a.txt", { offset: 4, length: 100 })).bytes), "o")
      assert.strictEqual((yield* files.read("a.txt", { offset: 9 })).bytes.length, 0)
      assert.strictEqual(yield* reason(files.read("a.txt", { bytesMax: 4 })), "TooLarge")
    })
  )

  it.effect("follows links that stay inside, by relative and by absolute targets", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      symlinkSync("../a.txt", join(root, "sub/relative"))
      symlinkSync("/workspace/sub", join(root, "absolute"))
      symlinkSync("sub/relative", join(root, "chained"))
      assert.strictEqual(text((yield* files.read("chained")).bytes), "hello")
      assert.strictEqual(text((yield* files.read("absolute/b.txt")).bytes), "there")
      assert.strictEqual(text((yield* files.read("absolute/relative")).bytes), "hello")
      assert.strictEqual((yield* files.stat("absolute", { follow: false })).target, "/workspace/sub")
    })
  )

  it.effect("goes no way that leads out", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      symlinkSync(join(home, "secret"), join(root, "absolute"))
      symlinkSync("../secret", join(root, "relative"))
      symlinkSync("../../root/a.txt", join(root, "sub/around"))
      symlinkSync("/proc/self/root", join(root, "proc"))
      symlinkSync("/workspace/../secret", join(root, "dotted"))
      const paths = ["../secret", "sub/../../secret", join(home, "secret"), "/etc/passwd", "absolute", "relative"]
      for (const path of [...paths, "sub/around", "proc/etc/passwd", "dotted", "/workspace/../secret", "/"]) {
        assert.strictEqual(yield* reason(files.read(path)), "Outside", path)
      }
    })
  )

  it.effect("ends where links lead in circles or nowhere", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      symlinkSync("circle", join(root, "circle"))
      symlinkSync("nothing", join(root, "dangling"))
      symlinkSync("a.txt/", join(root, "slash"))
      assert.strictEqual(yield* reason(files.read("circle")), "BadPath")
      assert.strictEqual(yield* reason(files.read("dangling")), "NotFound")
      assert.strictEqual(yield* reason(files.read("slash")), "NotADirectory")
      assert.strictEqual(yield* reason(files.read("a.txt/b")), "NotADirectory")
      assert.strictEqual(yield* reason(files.read("sub")), "NotAFile")
    })
  )

  it.effect.each(["", "a\0b", "\ud800", "a".repeat(256), "a/".repeat(3_000), `/workspace/${"é".repeat(2_100)}`])(
    "refuses a bad path (%#)",
    (path) =>
      Effect.gen(function* () {
        const { files } = yield* world
        for (const work of [files.read(path), files.write(path, bytes("x")), files.list(path), files.remove(path)]) {
          assert.strictEqual(yield* reason(work as Effect.Effect<unknown, FileError>), "BadPath")
        }
      })
  )
})

describe("Writing", { timeout: 180_000 }, () => {
  it.effect("replaces a file whole, keeps its mode, and leaves nothing else behind", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      chmodSync(join(root, "a.txt"), 0o751)
      yield* files.write("a.txt", bytes("new"))
      assert.strictEqual(readFileSync(join(root, "a.txt"), "utf8"), "new")
      assert.strictEqual(lstatSync(join(root, "a.txt")).mode & 0o777, 0o751)
      assert.deepStrictEqual(readdirSync(root).toSorted(), ["a.txt", "sub"])
    })
  )

  it.effect("makes directories on the way only where asked", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      assert.strictEqual(yield* reason(files.write("x/y/z", bytes("1"))), "NotFound")
      yield* files.write("x/y/z", bytes("1"), { parents: true, mode: 0o600 })
      assert.strictEqual(readFileSync(join(root, "x/y/z"), "utf8"), "1")
      assert.strictEqual(lstatSync(join(root, "x/y/z")).mode & 0o777, 0o600)
    })
  )

  it.effect("writes where a link inside points, and keeps the link", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      symlinkSync("sub/b.txt", join(root, "link"))
      symlinkSync("sub/new", join(root, "dangling"))
      yield* files.write("link", bytes("1"))
      yield* files.write("dangling", bytes("2"))
      assert.isTrue(lstatSync(join(root, "link")).isSymbolicLink())
      assert.strictEqual(readFileSync(join(root, "sub/b.txt"), "utf8"), "1")
      assert.strictEqual(readFileSync(join(root, "sub/new"), "utf8"), "2")
    })
  )

  it.effect("never reaches a file outside by a link of either kind", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      linkSync(join(home, "secret"), join(root, "hard"))
      symlinkSync("../secret", join(root, "soft"))
      yield* files.write("hard", bytes("1"))
      assert.strictEqual(yield* reason(files.write("soft", bytes("1"))), "Outside")
      assert.strictEqual(readFileSync(join(home, "secret"), "utf8"), "secret")
    })
  )

  it.effect("refuses when the file is not the one expected", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      const { version } = yield* files.stat("a.txt")
      const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
      yield* files.write("a.txt", bytes("hello"), { expected: { _tag: "Sha256", sha256 } })
      const stale = files.write("a.txt", bytes("x"), { expected: { _tag: "Version", version } })
      assert.strictEqual(yield* reason(stale), "Stale")
      const exists = files.write("a.txt", bytes("x"), { expected: { _tag: "Absent" } })
      assert.strictEqual(yield* reason(exists), "Stale")
      const gone = files.write("none", bytes("x"), { expected: { _tag: "Sha256", sha256 } })
      assert.strictEqual(yield* reason(gone), "Stale")
      assert.strictEqual(readFileSync(join(root, "a.txt"), "utf8"), "hello")
      assert.deepStrictEqual(readdirSync(root).toSorted(), ["a.txt", "sub"])
    })
  )

  it.effect("does not take a directory's place", () =>
    Effect.gen(function* () {
      const { files } = yield* world
      assert.strictEqual(yield* reason(files.write("sub", bytes("x"))), "NotAFile")
      assert.strictEqual(yield* reason(files.write(".", bytes("x"))), "BadPath")
    })
  )
})

describe("Directories", { timeout: 180_000 }, () => {
  it.effect("are listed by pages in the order of bytes", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      for (let n = 0; n < 25; n++) writeFileSync(join(root, "sub", `f${String(n).padStart(2, "0")}`), "")
      const seen: Array<string> = []
      for (let after: string | null | undefined; after !== null;) {
        const page = yield* files.list("sub", { limit: 10, ...(after === undefined ? {} : { after }) })
        seen.push(...page.entries.map((entry) => entry.path))
        after = page.next
      }
      assert.deepStrictEqual(seen, [
        "sub/b.txt",
        ...Array.from({ length: 25 }, (_, n) => `sub/f${String(n).padStart(2, "0")}`)
      ])
    })
  )

  it.effect("show names that are no text, by which they can be used", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      writeFileSync(Buffer.concat([Buffer.from(`${root}/sub/caf`), Buffer.from([0xe9])]), "1")
      writeFileSync(join(root, "sub/new\nline"), "2")
      const { entries } = yield* files.list("sub")
      assert.deepStrictEqual(
        entries.map(({ path }) => path),
        ["sub/b.txt", "sub/caf\\xe9", "sub/new\nline"]
      )
      assert.strictEqual(text((yield* files.read("sub/caf\\xe9")).bytes), "1")
      yield* files.remove("sub/caf\\xe9")
      assert.strictEqual((yield* files.list("sub")).entries.length, 2)
    })
  )

  it.effect("are made, moved and removed", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      yield* files.makeDirectory("x")
      assert.strictEqual(yield* reason(files.makeDirectory("x")), "Exists")
      yield* files.makeDirectory("x/y/z", { parents: true })
      yield* files.makeDirectory("x/y/z", { parents: true })
      yield* files.move("sub", "x/sub")
      assert.strictEqual(yield* reason(files.move("a.txt", "x/sub/b.txt")), "Exists")
      yield* files.move("a.txt", "x/sub/b.txt", { overwrite: true })
      assert.strictEqual(readFileSync(join(root, "x/sub/b.txt"), "utf8"), "hello")
      assert.strictEqual(yield* reason(files.move("x", "x/sub/x")), "BadPath")
      assert.strictEqual(yield* reason(files.remove("x")), "NotEmpty")
      yield* files.remove("x", { recursive: true })
      assert.deepStrictEqual(readdirSync(root), [])
      for (const path of [".", "/workspace", "x/.."]) {
        assert.include(["BadPath", "NotFound"], yield* reason(files.remove(path, { recursive: true })))
      }
    })
  )

  it.effect("are removed without what links in them point to", () =>
    Effect.gen(function* () {
      const { files, home, root } = yield* world
      fill(home, { "outside/kept": "1" })
      symlinkSync(join(home, "outside"), join(root, "sub/out"))
      symlinkSync("../a.txt", join(root, "sub/in"))
      yield* files.remove("sub", { recursive: true })
      assert.isTrue(existsSync(join(home, "outside/kept")))
      assert.isTrue(existsSync(join(root, "a.txt")))
    })
  )
})

describe("Globs", { timeout: 180_000 }, () => {
  it.effect("find files newest first, as far as asked", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      fill(root, { "src/old.ts": "", "src/deep/new.ts": "", "src/other.js": "" })
      utimesSync(join(root, "src/old.ts"), 1_000, 1_000)
      utimesSync(join(root, "src/deep/new.ts"), 2_000, 2_000)
      const found = yield* files.glob("**/*.ts")
      assert.deepStrictEqual(
        found.entries.map(({ path }) => path),
        ["src/deep/new.ts", "src/old.ts"]
      )
      assert.isTrue(found.isComplete)
      const one = yield* files.glob("/workspace/src/**/*.ts", { limit: 1 })
      assert.deepStrictEqual(
        one.entries.map(({ path }) => path),
        ["src/deep/new.ts"]
      )
      assert.isFalse(one.isComplete)
      assert.deepStrictEqual(
        (yield* files.glob("*.js", { path: "src" })).entries.map(({ path }) => path),
        ["src/other.js"]
      )
      assert.strictEqual(yield* reason(files.glob("../*")), "BadPath")
      assert.strictEqual(yield* reason(files.glob("/etc/*")), "Outside")
    })
  )

  it.effect("leave out what git would", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      fill(root, {
        ".gitignore": "*.log\n/out/\n",
        "x.log": "",
        "out/x": "",
        ".git/config": "",
        "in/.gitignore": "!y.log",
        "in/y.log": ""
      })
      const { entries } = yield* files.walk(".", { ignore: "git" })
      assert.deepStrictEqual(
        entries.map(({ path }) => path),
        [".gitignore", "a.txt", "in/.gitignore", "in/y.log", "sub/b.txt"]
      )
      const shown = yield* files.walk("/workspace/in", { hidden: false })
      assert.deepStrictEqual(
        shown.entries.map(({ path }) => path),
        ["/workspace/in/y.log"]
      )
    })
  )

  it.effect("do not go through links", () =>
    Effect.gen(function* () {
      const { files, root } = yield* world
      mkdirSync(join(root, "loop"))
      symlinkSync("..", join(root, "loop/up"))
      const { entries } = yield* files.glob("**")
      assert.deepStrictEqual(entries.map(({ path }) => path).toSorted(), ["a.txt", "loop/up", "sub/b.txt"])
    })
  )
})
