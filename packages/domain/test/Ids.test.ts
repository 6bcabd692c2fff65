import { assert, describe, it } from "@effect/vitest"
import { fromTime, toUuid } from "../src/Ids.ts"

describe("fromTime", () => {
  it("makes an id of a version 7 UUID that tells its time", () => {
    const random = Uint8Array.from([0xff, 0xee, 0xff, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66])
    assert.strictEqual(toUuid(fromTime("sevt", 0x0190_1234_5678, random)), "01901234-5678-7fee-bfcc-bbaa99887766")
    assert.strictEqual(toUuid(fromTime("sevt", 0, new Uint8Array(10))), "00000000-0000-7000-8000-000000000000")
  })

  it("makes later ids sort later", () => {
    const high = new Uint8Array(10).fill(255)
    const times = [0, 1, 0xffff, 0x1_0000, 0x1_0001, 0x0001_0000_0000, 1_795_000_000_000]
    const ids = times.map((time, at) => fromTime("sevt", time, at % 2 === 0 ? high : new Uint8Array(10)))
    assert.deepStrictEqual([...ids].sort(), ids)
  })
})
