import { assert, describe, it } from "@effect/vitest"
import { text } from "../../src/session/Content.ts"
import { redact } from "../../src/session/Redaction.ts"
import { alsoCarrying, holdsTextOf } from "../../src/session/sameContent.ts"
import { after, type Story } from "./given.ts"
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
