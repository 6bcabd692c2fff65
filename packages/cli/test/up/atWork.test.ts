import { assert, describe, it } from "@effect/vitest"
import { atWorkInWords } from "../../src/up/atWork.ts"

const session = (id: string, title: string | null = null) => ({ id, title })

describe("What a stop waits for", () => {
  it("is nothing where no session is at work", () => {
    assert.isNull(atWorkInWords([], 30_000))
  })

  it("is said by names, and how long it may take", () => {
    assert.strictEqual(
      atWorkInWords([session("sesn_1", "Fix\u001B[2J it\n")], 30_000),
      "1 session is at work: Fix it (sesn_1).\nTurns that end within 30 s are waited for; the others go on at the next start."
    )
    assert.match(atWorkInWords([session("sesn_1", "a".repeat(80))], 500)!, /: a{39}… \(sesn_1\)\.\n.* within 1 s /)
  })

  it("names the first of many", () => {
    const many = ["1", "2", "3", "4", "5"].map((id) => session(id))
    assert.match(atWorkInWords(many, 0)!, /^5 sessions are at work: 1, 2, 3 and 2 more\.\n/)
  })
})
