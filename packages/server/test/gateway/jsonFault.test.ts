import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { jsonFault } from "../../src/gateway/jsonFault.ts"

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe("where a text stops being JSON", () => {
  it.each([
    ["{", "it ends too soon, at line 1, column 2"],
    [`{"a": "b`, "it ends too soon, at line 1, column 9"],
    [`{"a": [1, 2}`, "see line 1, column 12"],
    [`{"a": 1,}`, "see line 1, column 9"],
    [`{"a" 1}`, "see line 1, column 6"],
    [`{\n  "a": 1\n  "b": 2\n}`, "see line 3, column 3"],
    [`{\n  'a': 1\n}`, "see line 2, column 3"],
    [`["a\nb"]`, "see line 1, column 4"],
    [`["a\\xb"]`, "see line 1, column 4"],
    [`["\\u12"]`, "see line 1, column 3"],
    ["[01]", "see line 1, column 2"],
    ["[truex]", "see line 1, column 2"],
    ["[NaN]", "see line 1, column 2"],
    ["[] []", "see line 1, column 4"],
    ["\ufeff{}", "see line 1, column 1"]
  ])("is said of %j", (text, said) => {
    assert.isFalse(parses(text))
    assert.strictEqual(jsonFault(text), said)
  })

  it("is nowhere in whatever is JSON, and somewhere in all that is not", () => {
    // Texts of JSON, and the same with a character taken out, put in or cut off behind.
    const spoiled = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", `"`, "{", "]", ",", ":", "0", "-", ".", "e", "\\", "\n", "\0"))
      .chain(([text, at, character]) => {
        const place = at % (text.length + 1)
        return fc.constantFrom(
          text,
          text.slice(0, place),
          text.slice(0, place) + text.slice(place + 1),
          text.slice(0, place) + character + text.slice(place)
        )
      })
    let broken = 0
    fc.assert(
      fc.property(spoiled, (text) => {
        if (!parses(text)) broken++
        assert.strictEqual(jsonFault(text) === null, parses(text), text)
      }),
      { numRuns: 2_000 }
    )
    assert.isAbove(broken, 200)
  })

  it("is found behind a long string, too", () => {
    assert.strictEqual(jsonFault(`{"a":"${"x\\n".repeat(1_000_000)}",}`), "see line 1, column 3000009")
  })
})
