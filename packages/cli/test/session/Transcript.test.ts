import { assert, describe, it } from "@effect/vitest"
import type { StreamedEvent } from "@troupe/client"
import { Transcript } from "../../src/session/Transcript.ts"

const delta = (id: string, text: string) => ({
  type: "event_delta",
  event_id: id,
  delta: { type: "content_delta", index: 0, content: { type: "text", text } }
})
const message = (id: string, text: string) => ({ type: "agent.message", id, content: [{ type: "text", text }] })
const idle = (type: string) => ({ type: "session.status_idle", id: "idle", stop_reason: { type } })

const hearing = (...events: ReadonlyArray<object>) => {
  const tools: Array<string> = []
  const transcript = new Transcript({ text: () => {}, tool: ({ name }) => void tools.push(name) })
  const outcomes = events.map((event) => transcript.take(event as StreamedEvent)).filter((outcome) => outcome !== null)
  return { text: transcript.text, tools, outcomes, error: transcript.error }
}

describe("The transcript of a session", () => {
  it("tells a message as it comes, and what was left out of its pieces at its end", () => {
    const { text } = hearing(delta("m", "one "), delta("m", "two "), message("m", "one two three"))
    assert.strictEqual(text, "one two three\n")
  })

  it("tells a message once, also when it is heard again after the stream broke", () => {
    const { text } = hearing(delta("m", "one "), message("m", "one two"), message("m", "one two"), delta("m", "one "))
    assert.strictEqual(text, "one two\n")
  })

  it("tells one message after the other, though pieces of the next come before the first is whole", () => {
    const events = [delta("a", "one "), delta("b", "three "), delta("c", "five"), message("a", "one two")]
    const more = [delta("b", "four"), message("b", "three four"), message("c", "five six")]
    assert.strictEqual(hearing(...events, ...more).text, "one two\nthree four\nfive six\n")
  })

  it("ends a message that was begun and is never said", () => {
    assert.strictEqual(hearing(delta("a", "begun"), message("b", "said")).text, "begun\nsaid\n")
    assert.strictEqual(hearing(delta("a", "begun"), idle("end_turn")).text, "begun\n")
  })

  it("tells each use of a tool once", () => {
    const use = { type: "agent.tool_use", id: "t", name: "bash", input: { command: "ls" } }
    assert.deepStrictEqual(hearing(use, use).tools, ["bash"])
  })

  it.each([
    ["end_turn", "Completed"],
    ["requires_action", "Waits"],
    ["budget_reached", "BudgetReached"],
    ["retries_exhausted", "Failed"],
    ["something new", "Failed"]
  ])("ends at %s as %s", (reason, outcome) => {
    assert.deepStrictEqual(
      hearing(idle(reason)).outcomes.map(({ _tag }) => _tag as string),
      [outcome]
    )
  })

  it("passes over what it does not know", () => {
    assert.deepStrictEqual(
      hearing({ type: "new.kind", id: "x" }, { nothing: true }, idle("end_turn")).outcomes.length,
      1
    )
  })
})
