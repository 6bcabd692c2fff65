import { assert, describe, it } from "vitest"
import { countsOf, patchLines, size, sorted } from "../../src/files/files.logic.ts"

const patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-- old\n+new\n+\n"

describe("changes of files", () => {
  it("are lines that came and went; a line that begins with a dash is one of them", () => {
    assert.deepStrictEqual(patchLines(patch), [
      { kind: "skipped", text: "@@ -1,2 +1,2 @@" },
      { kind: "same", text: "same" },
      { kind: "removed", text: "- old" },
      { kind: "added", text: "new" },
      { kind: "added", text: "" }
    ])
    assert.deepStrictEqual(countsOf({ text: patch } as never), { added: 2, removed: 1 })
    assert.isNull(countsOf({ text: null } as never))
  })

  it("keep lines that look like the head of a diff", () => {
    const tricky = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- was a rule\n+++ is a rule\n"
    assert.deepStrictEqual(
      patchLines(tricky).map(({ kind, text }) => `${kind} ${text}`),
      ["skipped @@ -1 +1 @@", "removed -- was a rule", "added ++ is a rule"]
    )
  })
})

describe("files of a session", () => {
  it("are told apart by who made them, the newest first", () => {
    const file = (id: string, at: string, path: string | null) => ({ id, created_at: at, troupe: { path } }) as never
    const { given, made } = sorted([file("a", "1", "/x"), file("b", "2", null), file("c", "3", "/y")])
    assert.deepStrictEqual(
      [made, given].map((files) => files.map(({ id }) => id as string)),
      [["c", "a"], ["b"]]
    )
  })

  it("have sizes that one reads at a glance", () => {
    assert.deepStrictEqual([12, 1_500, 25_000, 2_400_000].map(size), ["12 B", "1.5 kB", "25 kB", "2.4 MB"])
  })
})
