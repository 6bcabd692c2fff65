import { assert, describe, it } from "vitest"
import {
  type Comment,
  isCommented,
  nextId,
  placeOf,
  readComments,
  withComments
} from "../../../src/session/diff/comments.logic.ts"
import { diffOf } from "../../../src/session/diff/diff.logic.ts"
import { type DiffLine, patchLines } from "../../../src/session/diff/patch.logic.ts"
import { choose, firstLine, move, rangeOf } from "../../../src/session/diff/selection.logic.ts"

const drawn = (lines: ReadonlyArray<DiffLine>) =>
  lines.map(({ after, before, kind, text }) => `${before ?? ""}|${after ?? ""} ${kind} ${text}`)

describe("a patch", () => {
  it("is lines with their numbers; a line that begins with a dash is one of them", () => {
    const patch =
      "--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n same\n-- old\n+new\n+\n@@ -40 +41,2 @@\n same\n+end\n\\ No newline at end of file"
    assert.deepStrictEqual(drawn(patchLines(patch)), [
      "| skipped @@ -1,2 +1,3 @@",
      "1|1 same same",
      "2| removed - old",
      "|2 added new",
      "|3 added ",
      "| skipped @@ -40 +41,2 @@",
      "40|41 same same",
      "|42 added end"
    ])
  })

  it("keeps lines that look like the head of a diff", () => {
    const tricky = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- was a rule\n+++ is a rule\n"
    assert.deepStrictEqual(drawn(patchLines(tricky)).slice(1), ["1| removed -- was a rule", "|1 added ++ is a rule"])
  })
})

describe("what changed between two texts", () => {
  const before = Array.from({ length: 20 }, (_, line) => `${line}`).join("\n")
  const after = before.replace("\n10\n", "\nten\nand\n")

  it("has a few lines around each change, and numbers that go on behind what is left out", () => {
    assert.deepStrictEqual(drawn(diffOf(before, after)), [
      "| skipped 7 lines",
      "8|8 same 7",
      "9|9 same 8",
      "10|10 same 9",
      "11| removed 10",
      "|11 added ten",
      "|12 added and",
      "12|13 same 11",
      "13|14 same 12",
      "14|15 same 13",
      "| skipped 6 lines"
    ])
  })

  it("is numbered from where it stands in its file, or not at all", () => {
    assert.deepStrictEqual(drawn(diffOf("a\n", "b\n", 40)), ["40| removed a", "|40 added b"])
    assert.deepStrictEqual(drawn(diffOf("a\n", "b\n", null)), ["| removed a", "| added b"])
  })
})

describe("lines that are chosen", () => {
  const lines = patchLines("@@ -1 +1 @@\n a\n-b\n+c\n@@ -9 +9 @@\n d\n e")

  it("begin with the first that can be, and go by arrows over what is left out", () => {
    assert.strictEqual(firstLine(lines), 1)
    assert.deepStrictEqual(move(lines, { anchor: 3, head: 3 }, "ArrowDown", false), { anchor: 5, head: 5 })
    assert.deepStrictEqual(move(lines, { anchor: 5, head: 5 }, "ArrowUp", false), { anchor: 3, head: 3 })
    assert.isNull(move(lines, { anchor: 1, head: 1 }, "ArrowUp", false))
    assert.isNull(move(lines, { anchor: 6, head: 6 }, "ArrowDown", false))
    assert.isNull(move(lines, { anchor: 1, head: 1 }, "Enter", false))
  })

  it("are several with Shift, as far as they stand together", () => {
    const two = move(lines, { anchor: 3, head: 3 }, "ArrowUp", true)!
    assert.deepStrictEqual(rangeOf(two), [2, 3])
    assert.isNull(move(lines, { anchor: 2, head: 3 }, "ArrowDown", true))
    assert.deepStrictEqual(rangeOf(choose(lines, two, 1, true)), [1, 3])
    assert.deepStrictEqual(choose(lines, two, 6, true), { anchor: 6, head: 6 })
    assert.deepStrictEqual(choose(lines, two, 6, false), { anchor: 6, head: 6 })
    assert.deepStrictEqual(choose(lines, null, 2, true), { anchor: 2, head: 2 })
  })
})

describe("comments on lines", () => {
  const lines = patchLines("@@ -1,2 +1,2 @@\n same\n-old\n+new\n+`` ``` ``")
  const comment = (from: number, to: number, words = "Why?", id = "1"): Comment => ({
    id,
    path: "src/a.ts",
    words,
    lines: lines.slice(from, to + 1)
  })

  it("are about lines as they are now, or as they were where they are gone", () => {
    assert.strictEqual(placeOf(comment(1, 3)), "src/a.ts:1-2")
    assert.strictEqual(placeOf(comment(3, 3)), "src/a.ts:2")
    assert.strictEqual(placeOf(comment(2, 2)), "src/a.ts:2 (removed)")
    assert.strictEqual(placeOf({ path: "src/a.ts", lines: diffOf("", "x", null) }), "src/a.ts")
  })

  it("go with a message as quotes, before what else is said", () => {
    assert.strictEqual(
      withComments([comment(2, 3), comment(4, 4, "Fence?", "2")], "And test it."),
      [
        "`src/a.ts:2`\n```diff\n-old\n+new\n```\nWhy?",
        "`src/a.ts:3`\n````diff\n+`` ``` ``\n````\nFence?",
        "And test it."
      ].join("\n\n")
    )
    assert.strictEqual(withComments([], "plain"), "plain")
    assert.isTrue(withComments([comment(1, 1)], "").endsWith("Why?"))
  })

  it("mark their lines, in their file", () => {
    const all = [comment(2, 3)]
    assert.deepStrictEqual(
      lines.map((line) => isCommented(all, "src/a.ts", line)),
      [false, false, true, true, false]
    )
    assert.isFalse(isCommented(all, "src/b.ts", lines[2]!))
  })

  it("are found again after a reload; what can't be read is nothing", () => {
    const all = [comment(1, 1), comment(2, 2, "Other", "7")]
    assert.deepStrictEqual(readComments(JSON.stringify(all)), all)
    assert.deepStrictEqual([undefined, "{", "{}", '[1, null, {"id": "1"}]'].flatMap(readComments), [])
    assert.strictEqual(nextId(all), "8")
    assert.strictEqual(nextId([]), "1")
  })
})
