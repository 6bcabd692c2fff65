import { assert, describe, it } from "@effect/vitest"
import { text } from "../../src/session/Content.ts"
import { redact } from "../../src/session/Redaction.ts"
import { noTotals } from "../../src/session/Usage.ts"
import { alsoCarrying, holdsTextOf } from "../../src/session/sameContent.ts"
import { after, type Story } from "./given.ts"
import { nth } from "./ids.ts"
import {
  completed,
  frames,
  message,
  messageThread,
  open,
  openThread,
  send,
  start,
  systemMessage,
  turnId
} from "./make.ts"

const placed = ({ log }: Story) => log.map((event, index) => ({ seq: index + 1, event }))
const typesWith = (story: Story, seq: number) =>
  alsoCarrying(placed(story), [seq]).map((one) => story.log[one - 1]!._tag)
const seqOf = (story: Story, tag: string, nth = 0) => placed(story).filter(({ event }) => event._tag === tag)[nth]!.seq

describe("who names one event of a message", () => {
  const edited = after(open(), send(message(1)), start(1), send(message(2)), {
    _tag: "EditTurn",
    turnId: turnId(2),
    queueVersion: null,
    content: text("other words")
  }).and(frames(1, 1, completed()))

  it("means all that carry its content, and nobody else's", () => {
    const received = seqOf(edited, "MessageReceived", 1)
    assert.deepStrictEqual(typesWith(edited, received), ["TurnEdited", "MessageTaken"])
    assert.deepStrictEqual(typesWith(edited, seqOf(edited, "MessageTaken", 1)), ["MessageReceived", "TurnEdited"])
    assert.deepStrictEqual(typesWith(edited, seqOf(edited, "MessageReceived")), ["MessageTaken"])
    assert.deepStrictEqual(typesWith(edited, seqOf(edited, "TurnStarted")), [])
  })

  it("means a system message where it came in and where it stands", () => {
    const said = after(open(), send(message(1), systemMessage(2, 1)))
    assert.deepStrictEqual(typesWith(said, seqOf(said, "SystemMessageQueued")), ["SystemMessageReceived"])
    assert.deepStrictEqual(typesWith(said, seqOf(said, "SystemMessageReceived")), ["SystemMessageQueued"])
  })

  it("means what was kept of requests to models since, and no other request", () => {
    const estimate = { ...noTotals, source: "measured", costMicroUsd: null } as const
    const blob = { sha256: "0".repeat(64), bytes: 2, mediaType: "application/json", preview: "" } as never
    const asked = (n: number, kept: boolean) => {
      const requestId = nth("ModelRequest", n) as never
      const [request, durationMs] = [kept ? blob : null, 1]
      return [
        { _tag: "ModelRequestStarted", requestId, model: "m", provider: "p", estimate, request },
        { _tag: "ModelRequestEnded", requestId, outcome: "succeeded", usage: estimate, durationMs, response: request }
      ] as const
    }
    const turn = (n: number, kept: boolean) => frames(n, 1, ...asked(n, kept), completed())
    const story = after(
      open(),
      send(message(1)),
      start(1),
      turn(1, true),
      send(message(2)),
      start(2),
      turn(2, true)
    ).and(send(message(3)), start(3), turn(3, false))
    const ofModels = (types: ReadonlyArray<string>) => types.filter((one) => one.startsWith("ModelRequest")).length
    assert.strictEqual(ofModels(typesWith(story, seqOf(story, "MessageReceived"))), 4)
    assert.strictEqual(ofModels(typesWith(story, seqOf(story, "MessageReceived", 1))), 2)
    assert.strictEqual(ofModels(typesWith(story, seqOf(story, "MessageReceived", 2))), 0)
  })

  it("means what a thread said as well", () => {
    const told = after(open(), openThread(2), messageThread(5, 1, 2))
    assert.deepStrictEqual(typesWith(told, seqOf(told, "ThreadMessaged")), ["MessageTaken"])
  })
})

describe("a text that a redaction takes", () => {
  const event = (words: string) => after(open(), send(message(1, { content: text(words) }))).log[1]!
  const isIn = (words: string, value: unknown) => holdsTextOf(value, event(words), redact(event(words)))
  const long = "a sentence that nobody says twice"

  it("is found wherever it is said again, on its own or inside of more", () => {
    assert.isTrue(isIn(long, { inputs: [{ content: text(long) }] }))
    assert.isTrue(isIn(long, { title: `I said: ${long}!` }))
    assert.isFalse(isIn(long, { title: "something else" }))
    assert.isFalse(isIn(long, { inputs: [{ content: text("something else") }] }))
  })

  it("is looked for as a whole where it is short", () => {
    assert.isTrue(isIn("yes", { answer: "yes" }))
    assert.isFalse(isIn("yes", { answer: "yesterday" }))
  })
})
