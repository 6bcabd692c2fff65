import { createReadStream, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { verifyBundle } from "../src/verifyBundle.ts"

const file = join(import.meta.dirname, "../../domain/test/golden/v0.1.0.jsonl")
const text = readFileSync(file, "utf8")

describe("verifyBundle", () => {
  it("finds nothing wrong with a bundle as it was exported, read in chunks of any size", async () => {
    const report = await verifyBundle(createReadStream(file, { encoding: "utf8", highWaterMark: 77 }))
    assert.isTrue(report.ok)
    assert.strictEqual((await verifyBundle([text])).ok, true)
  })

  it("finds one changed word", async () => {
    const at = text.indexOf('"text\\":\\"')
    assert.isAbove(at, 0)
    const changed = `${text.slice(0, at + 10)}X${text.slice(at + 11)}`
    const report = await verifyBundle([changed])
    assert.isFalse(report.ok)
    assert.isAbove(report.chain.findings.length, 0)
  })

  it("rejects what is no bundle, and names the line", async () => {
    const failure = await verifyBundle(["{}\n"]).then(
      () => undefined,
      (error: Error) => error
    )
    assert.match(String(failure?.message), /line 1|1/)
  })
})
