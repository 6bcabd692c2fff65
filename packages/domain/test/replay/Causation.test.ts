import { assert, describe, it } from "@effect/vitest"
import { why, type Why } from "../../src/replay/Causation.ts"
import { Recording } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"

const { events, rows } = new Recording().tell(...richStory)
const log = rows.map((row, index) => ({ row, event: events[index]! }))

const ask = (tag: string, last = false): Why => {
  const all = events.map((event) => event._tag as string)
  return why(log, (last ? all.lastIndexOf(tag) : all.indexOf(tag)) + 1)!
}

const chain = (answer: Why) => answer.causes.map(({ by, type }) => `${by}: ${type}`)

describe("why", () => {
  it("goes from a result back to the message that asked for it", () =>
    assert.deepStrictEqual(chain(ask("ToolFinished")), [
      "call: ToolRequested",
      "request: ModelRequestStarted",
      "attempt: AttemptStarted",
      "turn: TurnStarted",
      "input: MessageReceived"
    ]))

  it("goes from a second attempt back through the retry that a person asked for", () =>
    assert.deepStrictEqual(chain(ask("TurnCompleted", true)), [
      "attempt: AttemptStarted",
      "turn: TurnRetried",
      "turn: TurnStarted",
      "input: MessageReceived"
    ]))

  it("goes from an answer to the call that it answers", () =>
    assert.strictEqual(chain(ask("QuestionAnswered"))[0], "call: ToolRequested"))

  it("ends at once at what came from outside", () => {
    assert.deepStrictEqual(chain(ask("SessionOpened")), [])
    assert.deepStrictEqual(chain(ask("MessageReceived")), [])
  })

  it("names the command, who sent it, and all that it led to", () => {
    const { command, request } = ask("TurnStarted")
    assert.deepStrictEqual(
      command.seqs.map((seq) => rows[seq - 1]!.causationId),
      command.seqs.map(() => command.commandId)
    )
    assert.strictEqual(command.seqs[0], 1)
    assert.strictEqual(command.actorText, `{"type":"api_key","id":"key"}`)
    assert.deepStrictEqual(request, [command])
  })

  it("only looks back", () => {
    for (const { row } of log) {
      const answer = why(log, row.seq)!
      const seqs = [row.seq, ...answer.causes.map((cause) => cause.seq)]
      assert.deepStrictEqual(
        seqs,
        seqs.toSorted((a, b) => b - a)
      )
      assert.strictEqual(new Set(seqs).size, seqs.length)
    }
  })

  it("knows nothing of what is not there", () => assert.isUndefined(why(log, rows.length + 1)))
})
