import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { conformance } from "../../src/sandbox/conformance/suite.ts"
import { conformanceTable } from "../../src/sandbox/conformance/table.ts"

const page = join(import.meta.dirname, "../../../../docs/sandboxes.md")

describe("The page on sandboxes", () => {
  it("has the table of checks as the suite has them", () =>
    assert.isTrue(
      readFileSync(page, "utf8").includes(conformanceTable()),
      `replace the table of docs/sandboxes.md by:\n${conformanceTable()}`
    ))

  it("names each check once", () => {
    const names = conformance.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
  })
})
