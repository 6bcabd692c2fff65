import { readdirSync, readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { assert, beforeAll, describe, it } from "vitest"
import { buildConsole } from "../../../../scripts/console.mjs"

const dist = new URL("../../dist/", import.meta.url)
const budget = 250 * 1_024

/** What a browser has to load before it shows anything: the entry, and what it imports at once. */
const initial = (): ReadonlyArray<string> => {
  const html = readFileSync(new URL("index.html", dist), "utf8")
  return [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file!)
}

const weight = (file: string) => gzipSync(readFileSync(new URL(file, dist))).length

describe("the built console", () => {
  beforeAll(() => {
    const built = buildConsole()
    assert.isTrue(built?.ok ?? true, built?.output)
  }, 240_000)

  it("begins with at most 250 KB of JavaScript", () => {
    const files = initial()
    assert.isAbove(files.length, 0)
    assert.isBelow(
      files.reduce((sum, file) => sum + weight(file), 0),
      budget
    )
  })

  it("leaves what only some views need for later: markdown, replay, differences, terminals, the palette", () => {
    const first = initial().join(" ")
    const all = readdirSync(new URL("assets", dist))
    for (const name of ["markdown", "ReplayView", "Diff", "Palette", "TerminalsView"]) {
      assert.isTrue(
        all.some((file) => file.startsWith(`${name}-`) && file.endsWith(".js")),
        name
      )
      assert.notInclude(first, `${name}-`)
    }
  })

  it("is made for people, not for debugging", () => {
    const names = readdirSync(new URL("assets", dist))
    assert.isFalse(names.some((name) => name.includes("jsx-dev-runtime")))
  })

  it("runs under a policy that allows no inline script and no other host", () => {
    const html = readFileSync(new URL("index.html", dist), "utf8")
    assert.notMatch(html, /<script(?![^>]*\ssrc=)/)
    assert.notMatch(html, /(?:src|href)="(?:https?:)?\/\//)
  })
})
