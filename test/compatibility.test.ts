import { assert, describe, it } from "vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { read, root } from "./support/repository.ts"

interface Row {
  readonly file: string
  readonly title: string
}

/** The rows of a page's table that name a test: a link to its file, and its title. */
const rowsOf = (page: string): ReadonlyArray<Row> =>
  [...page.matchAll(/\| \[[\w.]+\]\(\.\.\/(\S+\.test\.ts)\) +\| (.+?) +\|$/gm)].map(([, file, title]) => ({
    file: file!,
    title: title!
  }))

/** A test is named in a string; names that are made of a table's rows end in what stands for them. */
const hasTest = (text: string, title: string): boolean =>
  [`"${title}"`, `'${title}'`, `\`${title}\``].some((quoted) => text.includes(quoted))

describe("What is compatible", () => {
  const rows = rowsOf(read("docs/compatibility.md"))

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
    const [row] = rowsOf("| a | b | [x.test.ts](../test/x.test.ts) | does what it says |\n")
    assert.deepStrictEqual(row, { file: "test/x.test.ts", title: "does what it says" })
    assert.isTrue(hasTest(`it("does what it says", () => {})`, row!.title))
    assert.isFalse(hasTest(`it("does what it says, mostly", () => {})`, row!.title))
  })
})
