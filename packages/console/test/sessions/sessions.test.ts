import type { Session } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { pieces } from "../../src/sessions/hits.logic.ts"
import { centsOf, titleOf } from "../../src/sessions/newSession.logic.ts"
import { filterOf, KnownSessions, type Rows, statusOf, step } from "../../src/sessions/sessions.logic.ts"

const told = (rows: Rows) =>
  Array.from({ length: rows.length }, (_, index) => {
    const { id, status } = rows.at(index)!
    return `${id} ${status}`
  })

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
    const merged = new KnownSessions().with([session("c"), session("b")], [{ data: known }])
    assert.deepStrictEqual(told(merged), ["c idle", "b idle", "a running"])
    assert.isUndefined(merged.at(3))
    assert.isUndefined(merged.at(-1))
  })

  it("takes each row of its pages once, and all anew where they were fetched anew", () => {
    let taken = 0
    const page = (...ids: ReadonlyArray<string>) => ({
      data: {
        *[Symbol.iterator]() {
          for (const id of ids) {
            taken++
            yield session(id)
          }
        }
      } as unknown as ReadonlyArray<Session>
    })
    const list = new KnownSessions()
    const [first, second, third] = [page("d", "c"), page("b"), page("a")]
    const before = list.with([], [first])
    list.with([session("e")], [first, second])
    assert.deepStrictEqual(told(list.with([session("e")], [first, second, third])), [
      "e idle",
      "d idle",
      "c idle",
      "b idle",
      "a idle"
    ])
    assert.strictEqual(taken, 4)
    assert.deepStrictEqual(told(before), ["d idle", "c idle"])
    assert.deepStrictEqual(told(list.with([], [page("x"), second])), ["x idle", "b idle"])
    assert.deepStrictEqual(told(list.with([], [])), [])
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
