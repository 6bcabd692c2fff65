import type { Session } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { pieces } from "../../src/sessions/hits.logic.ts"
import { centsOf, titleOf } from "../../src/sessions/newSession.logic.ts"
import { filterOf, merge, statusOf, step } from "../../src/sessions/sessions.logic.ts"

const session = (id: string, status = "idle", title = `Title of ${id}`) =>
  ({ id, status, title, agent: { name: "Assistant" } }) as unknown as Session

describe("the list of sessions", () => {
  it("asks for what its address says", () => {
    assert.deepStrictEqual(filterOf({ view: "running", agent: "agent_1", archived: "1" }), {
      "statuses[]": ["running", "rescheduling"],
      agent_id: "agent_1",
      include_archived: "true"
    })
    assert.deepStrictEqual(filterOf({ view: "no such view" }), { "statuses[]": [] })
  })

  it("puts new ones first and shows the newest of each, in place", () => {
    const known = [session("b", "running"), session("a", "running")]
    const merged = merge([session("c"), session("b")], known)
    assert.deepStrictEqual(
      merged.map(({ id, status }) => `${id} ${status}`),
      ["c idle", "b idle", "a running"]
    )
  })

  it("shows where in a text the words are, also where they overlap", () => {
    assert.deepStrictEqual(pieces("to publish it", [[3, 10]]), [
      { text: "to ", isFound: false },
      { text: "publish", isFound: true },
      { text: " it", isFound: false }
    ])
    assert.strictEqual(
      pieces("abcdef", [
        [0, 3],
        [2, 4]
      ])
        .map(({ text }) => text)
        .join(""),
      "abcdef"
    )
  })

  it("shows a status it does not know by its own name", () => {
    assert.strictEqual(statusOf("running").text, "Running")
    assert.strictEqual(statusOf("hibernating").text, "hibernating")
  })

  it("is walked by keys, and stays within its ends", () => {
    assert.deepStrictEqual(
      [step(-1, 1, 3), step(0, -1, 3), step(2, 1, 3), step(-1, -1, 3), step(0, 1, 0)],
      [0, 0, 2, 2, -1]
    )
  })
})

describe("a new session", () => {
  it("is called after the first line of what is asked", () => {
    assert.strictEqual(titleOf("  run: ls  -la \nthen more"), "run: ls -la")
    assert.strictEqual(titleOf("x".repeat(200)).length, 80)
  })

  it("takes a budget in dollars, none, or says that it can't read it", () => {
    assert.strictEqual(centsOf("$2.50"), "250")
    assert.strictEqual(centsOf("0,5"), "50")
    assert.isNull(centsOf(" "))
    for (const wrong of ["two", "-1", "0", "1.234", "1e3"]) assert.isUndefined(centsOf(wrong), wrong)
  })
})
