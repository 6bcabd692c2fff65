import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { nameFromText, nameOf, nameToText } from "../../src/workingcopy/Name.ts"

const bytes = (...values: ReadonlyArray<number>) => nameOf(String.fromCharCode(...values))

describe("A name of bytes", () => {
  it("is the text itself where it is text", () => {
    for (const text of ["a", "naïve", "日本", "new\nline", "back\\slash", "\\xzz", "\\x41", "🎭"]) {
      assert.strictEqual(nameToText(nameFromText(text)), text)
    }
  })

  it("shows what is no UTF-8 as numbers", () => {
    assert.strictEqual(nameToText(bytes(0x63, 0x61, 0x66, 0xe9)), "caf\\xe9")
    assert.strictEqual(nameToText(bytes(0xff, 0xc3, 0xa9, 0xc3)), "\\xffé\\xc3")
  })

  it("keeps apart a byte and the text that shows it", () => {
    const asWritten = nameOf("caf\\xe9")
    assert.strictEqual(nameToText(asWritten), "caf\\x5cxe9")
    assert.strictEqual(nameFromText("caf\\x5cxe9"), asWritten)
    assert.strictEqual(nameFromText("caf\\xe9"), bytes(0x63, 0x61, 0x66, 0xe9))
  })

  // Few bytes, so that backslashes, digits and broken characters meet.
  const interesting = fc.array(fc.constantFrom(0x5c, 0x78, 0x35, 0x63, 0x65, 0x39, 0xe9, 0xc3, 0xa9, 0xf0, 0x9f, 0xed))

  it("finds its way back from what is shown", () => {
    fc.assert(
      fc.property(interesting, (values) => {
        const name = bytes(...values)
        assert.strictEqual(nameFromText(nameToText(name)), name)
      }),
      { numRuns: 5_000 }
    )
  })
})
