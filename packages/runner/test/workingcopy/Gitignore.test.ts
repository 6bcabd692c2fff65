import { assert, describe, it } from "@effect/vitest"
import { isIgnored, parseIgnore } from "../../src/workingcopy/Gitignore.ts"

const ignores = (rules: string, path: string) =>
  isIgnored([parseIgnore(rules, 0)], path.split("/").filter(Boolean), path.endsWith("/"))

describe("A .gitignore", () => {
  it.each([
    ["node_modules", "a/node_modules/"],
    ["*.log", "a/b.log"],
    ["/build", "build/"],
    ["a/b", "a/b"],
    ["out/", "x/out/"],
    ["doc/**/*.txt", "doc/a/b.txt"],
    ["trail  ", "trail"],
    ["\\#x", "#x"],
    ["\\!x", "!x"],
    ["*\n!keep", "drop"]
  ])("%j names %s", (rules, path) => assert.isTrue(ignores(rules, path)))

  it.each([
    ["/build", "a/build/"],
    ["out/", "out"],
    ["# build", "build"],
    ["*.log\n!keep.log", "keep.log"],
    ["a/b", "x/a/b"],
    ["", "a"]
  ])("%j does not name %s", (rules, path) => assert.isFalse(ignores(rules, path)))

  it("is overruled by one further down", () => {
    const files = [parseIgnore("*.log", 0), parseIgnore("!a.log", 1)]
    assert.isFalse(isIgnored(files, ["x", "a.log"], false))
    assert.isTrue(isIgnored(files, ["x", "b.log"], false))
  })
})
