import { assert, describe, it } from "vitest"
import { foundIn, pathsIn } from "../../../src/session/tools/found.logic.ts"

const drawn = (answer: string, input: Parameters<typeof foundIn>[1]) =>
  foundIn(answer, input).files.map(({ lines, path }) => [
    path,
    ...lines.map(({ isAround, number, pieces }) => `${number ?? ""}${isAround ? "-" : ":"}${pieces.join("|")}`)
  ])

describe("what glob answers", () => {
  it("is paths, and whether there are more", () => {
    assert.deepStrictEqual(pathsIn("a.ts\nsrc/b c.ts"), { paths: ["a.ts", "src/b c.ts"], note: null })
    assert.deepStrictEqual(pathsIn("a.ts\n[Not all of them: narrow the pattern or the path.]"), {
      paths: ["a.ts"],
      note: "Not all of them: narrow the pattern or the path."
    })
    assert.deepStrictEqual(pathsIn("No files match *.x."), { paths: [], note: "No files match *.x." })
  })
})

describe("what grep answers", () => {
  const content = { pattern: "lo+k", output_mode: "content" }

  it("is files, or how many lines were found in each", () => {
    assert.deepStrictEqual(foundIn("a.ts\nb.ts", { pattern: "x" }).files, [
      { path: "a.ts", count: null, lines: [] },
      { path: "b.ts", count: null, lines: [] }
    ])
    assert.deepStrictEqual(foundIn("a:b.ts:12", { pattern: "x", output_mode: "count" }).files, [
      { path: "a:b.ts", count: 12, lines: [] }
    ])
    assert.deepStrictEqual(foundIn("No matches.", content), { files: [], note: "No matches." })
  })

  it("is lines by file, with what was looked for in pieces of their own", () => {
    const answer = "a.ts:3:look: a loook\na.ts:9:12:look\nb.ts:1:Look\n[There is more. Narrow the search.]"
    assert.deepStrictEqual(drawn(answer, content), [
      ["a.ts", "3:|look|: a |loook|", "9:12:|look|"],
      ["b.ts", "1:Look"]
    ])
    assert.strictEqual(foundIn(answer, content).note, "There is more. Narrow the search.")
    assert.deepStrictEqual(drawn("b.ts:1:Look", { ...content, "-i": true }), [["b.ts", "1:|Look|"]])
    assert.deepStrictEqual(drawn("b.ts:1:Look", { ...content, pattern: "(?i)look" }), [["b.ts", "1:|Look|"]])
  })

  it("tells what is around from what was found, whatever names and lines look like", () => {
    const answer = ["a-1-b.ts-2-before", "a-1-b.ts:3:look", "a-1-b.ts-4-x:5:y", "--", "c.ts:1:look", "c.ts-2-end"]
    assert.deepStrictEqual(drawn(answer.join("\n"), { ...content, "-C": 1 }), [
      ["a-1-b.ts", "2-before", "3:|look|", "4-x:5:y"],
      ["c.ts", "1:|look|", "2-end"]
    ])
  })

  it("may be without numbers, and go over line ends", () => {
    assert.deepStrictEqual(drawn("a.ts:look: here", { ...content, "-n": false }), [["a.ts", ":|look|: here"]])
    assert.deepStrictEqual(drawn("a.ts:1:look\nhere", { ...content, multiline: true }), [["a.ts", "1:|look|", "-here"]])
  })

  it("is marked only where that is sure to be quick, and means the same here", () => {
    const line = `a.ts:1:${"a".repeat(60)}!`
    for (const pattern of ["(a+)+$", "(a|a)*$", "a*".repeat(9), `${"a?".repeat(40)}${"a".repeat(40)}`, "(", "\\p{L}"]) {
      assert.deepStrictEqual(drawn(line, { ...content, pattern }), [["a.ts", line.slice("a.ts:".length)]])
    }
    const long = Array.from({ length: 10_000 }, (_, index) => `a.ts:${index + 1}:${"look ".repeat(100)}`).join("\n")
    const lines = foundIn(long, content).files[0]!.lines
    assert.isAbove(lines[0]!.pieces.length, 1)
    assert.strictEqual(lines.at(-1)!.pieces.length, 1)
  })
})
