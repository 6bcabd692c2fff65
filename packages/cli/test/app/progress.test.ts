import { assert, describe, it } from "@effect/vitest"
import { progressLine, stepLine, waitLine } from "../../src/app/progress.ts"

const mebibyte = 1_048_576

describe("How far long work is", () => {
  it("is a bar where the end is known, and a number where not", () => {
    assert.strictEqual(progressLine(3 * mebibyte, 4 * mebibyte), `${"█".repeat(18)}${"░".repeat(6)} 3.0 of 4.0 MiB`)
    assert.strictEqual(progressLine(5 * mebibyte, 4 * mebibyte), `${"█".repeat(24)} 5.0 of 4.0 MiB`)
    assert.strictEqual(progressLine(mebibyte / 2, 0), "0.5 MiB")
  })

  it("is the step that goes on, and how long it has been", () => {
    const steps = ["one", "two", "three", "four"]
    assert.strictEqual(stepLine(steps, 0, 999), `${"░".repeat(24)} 0 s, one`)
    assert.strictEqual(stepLine(steps, 3, 2_500), `${"█".repeat(18)}${"░".repeat(6)} 2 s, four`)
  })

  it("is how long it has been and may be, where that is all that is known", () => {
    assert.strictEqual(waitLine(10_400, 40_000), `${"█".repeat(6)}${"░".repeat(18)} 10 s, at most 40 s`)
  })
})
