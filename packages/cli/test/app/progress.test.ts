import { assert, describe, it } from "@effect/vitest"
import { progressLine } from "../../src/app/progress.ts"

const mebibyte = 1_048_576

describe("How far long work is", () => {
  it("is a bar where the end is known, and a number where not", () => {
    assert.strictEqual(progressLine(3 * mebibyte, 4 * mebibyte), `${"█".repeat(18)}${"░".repeat(6)} 3.0 of 4.0 MiB`)
    assert.strictEqual(progressLine(5 * mebibyte, 4 * mebibyte), `${"█".repeat(24)} 5.0 of 4.0 MiB`)
    assert.strictEqual(progressLine(mebibyte / 2, 0), "0.5 MiB")
  })
})
