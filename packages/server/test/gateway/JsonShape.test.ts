import { assert, describe, it } from "@effect/vitest"
import { shapeRefused } from "../../src/gateway/JsonShape.ts"

const refusedAs = (text: string) => shapeRefused(new TextEncoder().encode(text))?.message
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)

describe("the shape of a JSON text", () => {
  it.each([
    ["64 levels", nested(64)],
    ["many levels one after the other", `[${Array.from({ length: 1_000 }, () => nested(60)).join()}]`.slice(0, 40_000)],
    ["brackets and commas in a string", JSON.stringify("[{,".repeat(100_000))],
    [
      "strings that end in quotes and backslashes",
      JSON.stringify(Array.from({ length: 9_000 }, () => ['"[', "\\", '\\"{']))
    ],
    ["what is no JSON", `{"a": "[[[`],
    ["nothing", ""]
  ])("is fine with %s", (_, text) => {
    assert.isUndefined(refusedAs(text))
  })

  it.each([
    ["65 levels", nested(65), /too deeply/],
    ["65 levels of objects", '{"a":'.repeat(65), /too deeply/],
    ["levels behind a string that looks like one", `["\\\\",${nested(64)}`, /too deeply/],
    ["ten million lists", `[${"[],".repeat(10_000_000)}[]]`, /values/],
    ["a hundred thousand numbers", `[${"1,".repeat(100_000)}1]`, /values/],
    ["as many fields", `{${'"a":1,'.repeat(100_000)}"a":1}`, /values/]
  ])("is refused with %s", (_, text, said) => {
    assert.match(refusedAs(text) ?? "", said)
  })

  it("is looked at in a time that grows with its length alone", () => {
    const timed = (text: string) => {
      const bytes = new TextEncoder().encode(text)
      const begin = process.cpuUsage()
      shapeRefused(bytes)
      const { user } = process.cpuUsage(begin)
      return user
    }
    const backslashes = (length: number) => `["${"\\".repeat(length)}"]`
    timed(backslashes(1_000_000))
    assert.isBelow(timed(backslashes(16_000_000)), 2_000_000 + 100 * timed(backslashes(1_000_000)))
  })
})
