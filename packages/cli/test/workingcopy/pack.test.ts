import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { limits, pack } from "../../src/workingcopy/pack.ts"

const long = 60_000

describe("What a directory gives to an agent", () => {
  let base: string
  let directory: string
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  const git = (...args: ReadonlyArray<string>) => {
    const who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    return execFileSync("git", [...who, ...args], { cwd: directory, encoding: "utf8", stdio: "pipe" })
  }
  /** What is packed, in a directory of its own. */
  const unpacked = async (): Promise<{ readonly into: string; readonly hasHistory: boolean }> => {
    using packed = await pack(directory)
    const into = join(base, "unpacked")
    mkdirSync(into)
    execFileSync("tar", ["-xzf", packed!.file, "-C", into])
    return { into, hasHistory: packed!.hasHistory }
  }
  const filesIn = (into: string) =>
    execFileSync("find", [".", "-not", "-type", "d", "-not", "-path", "./.git/*"], { cwd: into, encoding: "utf8" })
      .trim()
      .split("\n")
      .toSorted()

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "troupe-pack-"))
    directory = join(base, "project")
    mkdirSync(directory)
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it("are its files, without what is ignored, whatever they are called", { timeout: long }, async () => {
    write(".gitignore", "*.log\nbuilt/\n")
    write("readme", "hello")
    write("-odd\tname", "odd")
    write("built/large", "x")
    write("sub/trace.log", "x")
    write("sub/kept", "x")
    symlinkSync("readme", join(directory, "link"))
    const { hasHistory, into } = await unpacked()
    assert.isFalse(hasHistory)
    assert.deepStrictEqual(filesIn(into), ["./-odd\tname", "./.gitignore", "./link", "./readme", "./sub/kept"])
  })

  it("are a repository's clone, with what is not committed", { timeout: long }, async () => {
    git("init", "--quiet", "--initial-branch=main")
    write(".gitignore", "secret\n")
    write("kept", "one\n")
    write("gone", "one\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "First")
    write("kept", "two\n")
    write("new", "new\n")
    write("secret", "hidden\n")
    rmSync(join(directory, "gone"))
    const { hasHistory, into } = await unpacked()
    assert.isTrue(hasHistory)
    assert.deepStrictEqual(filesIn(into), ["./.gitignore", "./kept", "./new"])
    const there = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: into, encoding: "utf8" })
    assert.strictEqual(there("log", "--format=%s"), "First\n")
    assert.strictEqual(there("status", "--short"), " D gone\n M kept\n?? new\n")
    assert.strictEqual(there("remote"), "")
  })

  it("are of a directory in a repository its own files alone", { timeout: long }, async () => {
    git("init", "--quiet")
    write("above", "x")
    write("part/inside", "x")
    git("add", ".")
    git("commit", "--quiet", "-m", "First")
    directory = join(directory, "part")
    const { hasHistory, into } = await unpacked()
    assert.isFalse(hasHistory)
    assert.deepStrictEqual(filesIn(into), ["./inside"])
  })

  it(
    "are none where there are none, and are refused where they are too many or too large",
    { timeout: long },
    async () => {
      assert.isNull(await pack(directory))
      write("large/file", "x".repeat(4_096))
      write("small", "x")
      for (const within of [
        { ...limits, bytesMax: 4_000 },
        { ...limits, filesMax: 1 }
      ]) {
        const refused = await pack(directory, within).catch((error: unknown) => error)
        assert.instanceOf(refused, Error)
        assert.include(refused.message, "is too large to be given to an agent: 2 files")
        assert.include(refused.message, "Most is in large (4 KiB), small")
      }
      using packed = await pack(directory)
      assert.isTrue(existsSync(packed!.file))
      packed![Symbol.dispose]()
      assert.isFalse(existsSync(dirname(packed!.file)))
    }
  )

  it("runs nothing that a repository names", { timeout: long }, async () => {
    git("init", "--quiet")
    write("file", "x")
    write("hook", `#!/bin/sh\ntouch ${join(base, "ran")}\n`)
    execFileSync("chmod", ["+x", join(directory, "hook")])
    git("config", "core.fsmonitor", "./hook")
    await unpacked()
    assert.isFalse(existsSync(join(base, "ran")))
  })
})
