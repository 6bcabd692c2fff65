import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { unifiedDiff } from "../../src/workingcopy/unifiedDiff.ts"

/** What the diff says the text became, if it says the truth about what it was. */
const patched = (before: string, diff: string): string => {
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const lines = diff.split("\n").slice(2, -1)
  let at = 0
  let result = ""
  lines.forEach((line, index) => {
    const content = lines[index + 1]?.startsWith("\\") === true ? line.slice(1) : `${line.slice(1)}\n`
    const header = /^@@ -(\d+)(?:,(\d+))? /.exec(line)
    if (header !== null) {
      const from = Number(header[1]) - (header[2] === "0" ? 0 : 1)
      while (at < from) result += old[at++]
    } else if (line.startsWith("+")) result += content
    else if (!line.startsWith("\\")) {
      assert.strictEqual(old[at++], content)
      if (line.startsWith(" ")) result += content
    }
  })
  return result + old.slice(at).join("")
}

const lines = (n: number, change: (line: number) => string = String) =>
  Array.from({ length: n }, (_, i) => `${change(i)}\n`).join("")

describe("A unified diff", () => {
  it("shows changes with the lines around them", () => {
    const after = lines(20, (line) => (line === 4 ? "four" : line === 15 ? "fifteen" : String(line)))
    assert.strictEqual(
      unifiedDiff("f", lines(20), after),
      `--- a/f
+++ b/f
@@ -2,7 +2,7 @@
 1
 2
 3
-4
+four
 5
 6
 7
@@ -13,7 +13,7 @@
 12
 13
 14
-15
+fifteen
 16
 17
 18
`
    )
  })

  it("shows that a last line has no end", () => {
    assert.strictEqual(
      unifiedDiff("f", "a\nb", "a\nb\n"),
      "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    )
    assert.strictEqual(
      unifiedDiff("f", null, "a"),
      "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
    )
    assert.strictEqual(unifiedDiff("f", "a\n", null), "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n")
    assert.strictEqual(unifiedDiff("f", "a\n", "a\n"), "")
  })

  const texts = fc
    .tuple(fc.array(fc.constantFrom("a", "b", "c", "")), fc.boolean())
    .map(([all, ended]) => all.join("\n") + (ended ? "\n" : ""))

  it("leads from the one text to the other", () => {
    fc.assert(
      fc.property(texts, texts, fc.nat({ max: 3 }), (before, after, context) => {
        assert.strictEqual(patched(before, unifiedDiff("f", before, after, context)), after)
      }),
      { numRuns: 3_000 }
    )
  })

  it("is right where the texts have little in common", () => {
    const [before, after] = [
      lines(3_000, (line) => `a${line}`),
      lines(3_000, (line) => (line % 7 === 0 ? `a${line}` : `b${line}`))
    ]
    assert.strictEqual(patched(before, unifiedDiff("f", before, after)), after)
  })

  it("takes no line twice that it need not", () => {
    const diff = unifiedDiff(
      "f",
      lines(1_000),
      lines(1_000, (line) => (line % 100 === 50 ? "x" : String(line)))
    )
    assert.strictEqual(diff.split("\n").filter((line) => /^[-+](?![-+])/.test(line)).length, 20)
  })
})
