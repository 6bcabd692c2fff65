import type { SessionChanges } from "@troupe/client"
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { patchOfAll } from "../../src/workingcopy/patch.ts"

type Change = SessionChanges["data"][number]
type Entry = Change["before"]

const file = (mode = 0o644): Entry => ({ kind: "file", size: 1, mode })
const change = (path: string, before: Entry, after: Entry, text: string | null): Change => {
  const kind = before === null ? "added" : after === null ? "removed" : "changed"
  return { path, change: kind, before, after, text }
}

describe("Changes as a patch", () => {
  it("are what git applies: content, modes, files that come and go", () => {
    const directory = mkdtempSync(join(tmpdir(), "troupe-patch-"))
    writeFileSync(join(directory, "a b"), "one\n")
    writeFileSync(join(directory, "gone"), "x\n")
    writeFileSync(join(directory, "tool"), "x\n", { mode: 0o644 })
    const { leftOut, text } = patchOfAll([
      change("a b", file(), file(), "--- a/a b\n+++ b/a b\n@@ -1 +1 @@\n-one\n+two\n"),
      change("gone", file(), null, "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"),
      change("tool", file(), file(0o755), ""),
      change("empty", null, file(), ""),
      change("new", null, file(0o755), "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n\\ No newline at end of file\n")
    ])
    assert.deepStrictEqual(leftOut, [])
    execFileSync("git", ["apply", "-"], { cwd: directory, input: text })
    const read = (name: string) => readFileSync(join(directory, name), "utf8")
    assert.deepStrictEqual([read("a b"), read("empty"), read("new")], ["two\n", "", "n"])
    assert.throws(() => read("gone"))
    assert.deepStrictEqual(
      ["tool", "new"].map((name) => statSync(join(directory, name)).mode & 0o111),
      [0o111, 0o111]
    )
    rmSync(directory, { recursive: true })
  })

  it("leave out what is no text, by its name, and what is git's or a directory without a word", () => {
    const link: Entry = { kind: "symlink", size: 1, mode: 0o777 }
    const folder: Entry = { kind: "directory", size: 0, mode: 0o755 }
    const { leftOut, text } = patchOfAll([
      change("picture", null, file(), null),
      change("link", null, link, null),
      change('odd"name', null, file(), "--- /dev/null\n"),
      change("folder", null, folder, null),
      change(".git/index", file(), file(), null)
    ])
    assert.deepStrictEqual([text, leftOut], ["", ["picture", "link", 'odd"name']])
  })
})
