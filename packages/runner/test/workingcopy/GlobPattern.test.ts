import { assert, describe, it } from "@effect/vitest"
import { FileError } from "@troupe/domain/runner/Files"
import * as fc from "fast-check"
import { posix } from "node:path"
import { globPattern } from "../../src/workingcopy/GlobPattern.ts"

const matches = (pattern: string, path: string) => globPattern(pattern).matches(path.split("/"))

describe("A pattern", () => {
  it.each([
    ["**/*.ts", "a/b/c.ts"],
    ["**/*.ts", "c.ts"],
    ["*.{ts,js}", "a.ts"],
    ["{a,b{c,d}}/x", "bd/x"],
    ["f{1..12}", "f10"],
    ["[!a].js", "b.js"],
    ["[^a].js", "b.js"],
    ["[a-cx]", "x"],
    ["[]]", "]"],
    ["[", "["],
    ["{a}", "{a}"],
    ["{a", "{a"],
    ["a\\*", "a*"],
    ["?", "🎭"],
    ["src/**", "src/a/b"],
    ["**", "a/b"],
    ["a/**/b", "a/b"],
    ["a/**/b", "a/x/y/b"],
    ["./a//b", "a/b"],
    [".*", ".env"],
    ["*", ".env"],
    ["*b", "a\nb"]
  ])("%s matches %s", (pattern, path) => assert.isTrue(matches(pattern, path)))

  it.each([
    ["*.ts", "a/c.ts"],
    ["src/**", "src"],
    ["[!a].js", "a.js"],
    ["[a-c]", "d"],
    ["a?", "a"],
    ["a\\*", "ab"],
    ["a/**/b", "a/b/c"],
    ["{a,b}", "c"],
    ["A", "a"]
  ])("%s does not match %s", (pattern, path) => assert.isFalse(matches(pattern, path)))

  const part = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "?", "[ab]", "[!a]", "{a,b}")
  const name = fc.constantFrom("a", "b", "ab", "ba", "c")
  const segments = fc.array(fc.oneof(part, fc.constant("**")), { minLength: 1, maxLength: 4 })

  it("agrees with Node's", () => {
    let matched = 0
    fc.assert(
      fc.property(segments, fc.array(name, { minLength: 1, maxLength: 4 }), (pattern, path) => {
        const ours = matches(pattern.join("/"), path.join("/"))
        if (ours) matched++
        assert.strictEqual(ours, posix.matchesGlob(path.join("/"), pattern.join("/")))
      }),
      { numRuns: 5_000 }
    )
    assert.isAbove(matched, 100)
  })

  it("knows which directories it can reach", () => {
    const { reaches } = globPattern("src/{a,b}/**/*.ts")
    assert.deepStrictEqual([["src"], ["src", "a"], ["src", "a", "deep"], ["src", "c"], ["test"]].map(reaches), [
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("takes no more time for a bad pattern than for a good one", () => {
    const pattern = globPattern(`${"*a".repeat(200)}${"/**".repeat(50)}/x`)
    assert.isFalse(pattern.matches(["a".repeat(255), ...Array.from({ length: 200 }, () => "a".repeat(20))]))
  })

  it.each(["", "a".repeat(2_000), "a\0b", "{1..9}{1..9}{1..9}{1..9}", "{a,b}".repeat(20), "{1..999999}"])(
    "refuses %j",
    (pattern) => assert.throws(() => globPattern(pattern), FileError)
  )
})
