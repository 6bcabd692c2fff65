import { assert, describe, it } from "vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { conformanceOf, rulesOf } from "../scripts/report.mjs"
import { read, root } from "./support/repository.ts"

/** A test is named in a string; names that are made of a table's rows end in what stands for them. */
const hasTest = (text: string, title: string): boolean =>
  [`"${title}"`, `'${title}'`, `\`${title}\``].some((quoted) => text.includes(quoted))

describe("What is compatible", () => {
  const rows = rulesOf(read("docs/compatibility.md"))

  it("names tests that are there", () => {
    assert.isAbove(rows.length, 40)
    const missing = rows.filter(({ file, title }) => !existsSync(join(root, file)) || !hasTest(read(file), title))
    assert.deepStrictEqual(missing, [])
  })

  it("names each of them once", () => {
    const names = rows.map(({ file, title }) => `${file} ${title}`)
    assert.deepStrictEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      []
    )
  })

  it("would notice a title that nobody has", () => {
    const [row] = rulesOf("| a | b | [x.test.ts](../test/x.test.ts) | does what it says |\n")
    assert.deepStrictEqual(row, { file: "test/x.test.ts", title: "does what it says" })
    assert.isTrue(hasTest(`it("does what it says", () => {})`, row!.title))
    assert.isFalse(hasTest(`it("does what it says, mostly", () => {})`, row!.title))
  })

  it("is counted for a report, file by file", () => {
    const rows = [
      "| a | b | [x.test.ts](../test/x.test.ts) | one |",
      "| a | b | [y.test.ts](../test/y.test.ts) | two |"
    ]
    const report = conformanceOf(rows.join("\n"), { "test/x.test.ts": { passed: 4, failed: 1, skipped: 2 } })
    assert.include(
      report,
      "2 rules of `docs/compatibility.md`, each shown by a test, in 2 files: 4 tests passed, 1 failed"
    )
    assert.include(report, "| test/x.test.ts | 1 | 4 | 1 | 2 |\n| test/y.test.ts | 1 | 0 | 0 | 0 |")
  })
})
