import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "vitest"
import { results } from "../bench/harness/Result.ts"
import { houseRules } from "./support/houseRules.ts"
import { files, read, root } from "./support/repository.ts"

describe.each(houseRules)("$says", ({ about, except, wrong, sample }) => {
  const isAbout = (file: string) => about.test(file) && except?.test(file) !== true

  it("holds", () => {
    const found = files.filter(isAbout).flatMap((file) => wrong(read(file), file).map((what) => `${file}: ${what}`))
    assert.deepStrictEqual(found, [])
  })

  it("would be noticed", () => {
    const [file, text] = sample
    assert.isTrue(isAbout(file))
    assert.isNotEmpty(wrong(text, file))
  })
})

/** Links of a page to files, without those to the web, to mail and within the page. */
const links = (text: string) =>
  [...text.replace(/```[\s\S]*?```/g, "").matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) =>
    target === undefined || /^[a-z]+:|^#/.test(target) ? [] : [target.replace(/#.*$/, "")]
  )

describe("The documentation", () => {
  const pages = files.filter((file) => file.endsWith(".md"))

  it("links only to files that exist", () => {
    const broken = pages.flatMap((page) =>
      links(read(page)).flatMap((target) =>
        existsSync(join(root, target.startsWith("/") ? "" : dirname(page), target)) ? [] : [`${page}: ${target}`]
      )
    )
    assert.deepStrictEqual(broken, [])
  })

  it("would notice a broken link", () => {
    assert.deepStrictEqual(links("[a](./b.md#c) [d](https://example.com) [e](#f)"), ["./b.md"])
  })

  it("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/`npm run ([\w:-]+)/g)].flatMap(([, name]) =>
        name === undefined || name in scripts ? [] : [`${page}: npm run ${name}`]
      )
    )
    assert.deepStrictEqual(unknown, [])
  })

  it("shows the results of benchmarks as they were kept", () => {
    assert.strictEqual(read("bench/results/README.md"), results())
  })
})
