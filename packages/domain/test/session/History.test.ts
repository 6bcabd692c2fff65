import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { text } from "../../src/session/Content.ts"
import * as History from "../../src/session/History.ts"
import { HistoryItem } from "../../src/session/HistoryItem.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { recorded, Recording } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"
import * as make from "./make.ts"

const historyOf = (events: ReadonlyArray<SessionEvent>, from = History.initial()) =>
  events.reduce((view, event, index) => History.apply(view, { seq: index + 1, recordedAt: index, event }), from)

/** A conversation in short: what kinds of items, and what they say. */
const short = (items: ReadonlyArray<HistoryItem>) =>
  items.map((item) => {
    switch (item.type) {
      case "tool_call":
        return `call ${item.providerCallId}`
      case "tool_result":
        return `result ${item.providerCallId} ${item.outcome}`
      case "thinking":
        return "thinking"
      case "note":
        return `note ${item.code}`
      default: {
        const [block] = item.content
        const said = block?.type === "text" ? block.text.slice(0, 24) : block?.type
        return `${item.type}: ${said}${item.type === "assistant" && item.partial ? " …" : ""}`
      }
    }
  })

const told = (...bodies: ReadonlyArray<SessionCommand>) =>
  short(History.conversation(historyOf(recorded(make.send(make.message(1)), make.start(1), ...bodies).events)))

/** Every call has one result, before anything else is said but by the same response. */
const wellFormed = (items: ReadonlyArray<HistoryItem>) => {
  let open: Array<string> = []
  let response: string | null | undefined
  const seen = new Set<string>()
  for (const item of items) {
    if (item.type === "tool_result") {
      assert.strictEqual(open.shift(), item.callId)
      continue
    }
    const request = "requestId" in item ? item.requestId : undefined
    if (open.length > 0) assert.isTrue(request !== undefined && request !== null && request === response)
    response = request
    if (item.type === "tool_call") {
      assert.isFalse(seen.has(item.callId))
      seen.add(item.callId)
      open = [...open, item.callId]
    }
  }
  assert.deepStrictEqual(open, [])
}

describe("conversation", () => {
  it("tells a whole session in order", () => {
    const { events } = new Recording().tell(...richStory)
    const before = events.slice(
      0,
      events.findIndex((event) => event._tag === "ContextCompacted")
    )
    assert.deepStrictEqual(short(History.conversation(historyOf(before))), [
      "user: from the parent",
      "system: be brief",
      "user: Please tidy the house. P",
      "thinking",
      "assistant: words",
      "call call_1",
      "call call_2",
      "result call_1 succeeded",
      "result call_2 denied",
      "assistant: words",
      "user: message 3",
      "call call_3",
      "call call_4",
      "call call_5",
      "call call_6",
      "result call_3 succeeded",
      "result call_4 denied",
      "result call_5 succeeded",
      "result call_6 succeeded",
      "assistant: words",
      "user: message 8",
      "assistant: words …",
      "user: message 11",
      "call call_7",
      "result call_7 unknown",
      "note working_copy_rewound",
      "user: other words",
      "assistant: words",
      "assistant: words"
    ])
  })

  it("says what people answered, and with what a call was approved instead", () => {
    const items = History.conversation(historyOf(new Recording().tell(...richStory.slice(0, -1)).events.slice(0, 80)))
    const call = items.find((item) => item.type === "tool_call" && item.providerCallId === "call_3")
    assert.deepInclude(call, { input: {}, editedInput: { command: "ls -l" } })
    const denied = items.find((item) => item.type === "tool_result" && item.providerCallId === "call_4")
    assert.deepInclude(denied, { content: text("not today"), isError: true })
    const answered = items.find((item) => item.type === "tool_result" && item.providerCallId === "call_6")
    assert.deepInclude(answered, { content: text("yes"), isError: false })
  })

  it("begins with the summary of what was compacted", () => {
    const compaction = (uptoSeq: number, words: string) =>
      ({ _tag: "ContextCompacted", summary: text(words), uptoSeq, tokensBefore: 9, tokensAfter: 1 }) as const
    const answer = make.frames(1, 1, make.requestStarted(1), make.block(1), make.requestEnded(1))
    const { version } = recorded(make.send(make.message(1)), make.start(1), answer)
    const more = make.frames(1, 4, compaction(version, "first"), make.requestStarted(2), make.block(2, 2))
    assert.deepStrictEqual(told(answer, more), ["summary: first", "assistant: words"])
    const again = make.frames(1, 7, compaction(version + 1, "second"))
    assert.deepStrictEqual(told(answer, more, again), ["summary: second", "assistant: words"])
  })

  it("begins with the summary of all that came before, where no place is named", () => {
    const compaction = (words: string) =>
      ({ _tag: "ContextCompacted", summary: text(words), uptoSeq: 0, tokensBefore: 9, tokensAfter: 1 }) as const
    const answer = make.frames(1, 1, make.requestStarted(1), make.block(1), make.requestEnded(1))
    const more = make.frames(1, 4, compaction("first"), make.requestStarted(2), make.block(2, 2))
    assert.deepStrictEqual(told(answer, more), ["summary: first", "assistant: words"])
    assert.deepStrictEqual(told(answer, more, make.frames(1, 7, compaction("second"))), ["summary: second"])
  })

  it("puts what came meanwhile behind the results", () =>
    assert.deepStrictEqual(
      told(
        make.frames(
          1,
          1,
          make.requestStarted(1),
          make.requested(1),
          make.requested(2),
          make.requestEnded(1),
          make.started(2)
        ),
        make.send(make.systemMessage(9)),
        make.frames(1, 6, make.finished(2), make.started(1), make.finished(1, "failed"))
      ),
      [
        "user: message 1",
        "call call_1",
        "call call_2",
        "result call_1 failed",
        "result call_2 succeeded",
        "system: be brief"
      ]
    ))

  it("keeps cut-off words of an interrupted turn, and not those that were said again", () => {
    const cut = make.frames(1, 1, make.requestStarted(1), { ...make.block(1), partial: true }, make.requestEnded(1))
    const stop = make.send(make.interrupt(5))
    assert.deepStrictEqual(told(cut, stop, make.frames(1, 4, make.interruptedFrame)), [
      "user: message 1",
      "assistant: words …"
    ])
    assert.deepStrictEqual(told(cut, make.frames(1, 4, make.requestStarted(2), make.block(2, 2))), [
      "user: message 1",
      "assistant: words"
    ])
    assert.deepStrictEqual(told(cut, make.frames(1, 4, make.failed(true, 0)), make.start(1, 2)), ["user: message 1"])
  })

  it("says of a call without an outcome what is known", () => {
    const calls = make.frames(1, 1, make.requestStarted(1), make.requested(1), make.requested(2), make.started(1))
    const { events } = recorded(make.send(make.message(1)), make.start(1), calls)
    const history = historyOf(events)
    assert.deepStrictEqual(short(History.conversation(history)).slice(-2), [
      "result call_1 unknown",
      "result call_2 pending"
    ])
    assert.deepStrictEqual(History.pending(history), [make.callId(1), make.callId(2)])
  })

  it("is of one thread", () => {
    const other = make.message(2, { threadId: make.threadId(2), content: text("elsewhere") })
    const { events } = recorded(make.openThread(2), make.send(make.message(1), other))
    assert.deepStrictEqual(short(History.conversation(historyOf(events))), ["user: message 1"])
    const second = historyOf(events, History.initial(make.threadId(2)))
    assert.deepStrictEqual(short(History.conversation(second)), ["user: elsewhere"])
  })

  it("is the same in a fork that copied it", () => {
    const { events } = new Recording().tell(...richStory)
    for (let seq = 0; seq <= events.length; seq++) {
      const items = History.conversation(historyOf(events.slice(0, seq)))
      const copy = JSON.parse(JSON.stringify(items))
      const fork = recorded().events.concat({ _tag: "HistoryCopied", threadId: make.threadId(), items: copy })
      assert.deepStrictEqual(History.conversation(historyOf(fork)), copy)
    }
  })

  it("passes by what it does not know in a copy", () => {
    const items = [{ type: "telepathy" }, { type: "system", inputId: null, content: [] }, {}]
    const { events } = recorded()
    const fork = historyOf([...events, { _tag: "HistoryCopied", threadId: make.threadId(), items }])
    assert.deepStrictEqual(History.conversation(fork), [items[1] as HistoryItem])
  })

  it("is well formed after every event", () => {
    const { events } = new Recording().tell(...richStory)
    for (let seq = 0; seq <= events.length; seq++) wellFormed(History.conversation(historyOf(events.slice(0, seq))))
  })

  it.prop("is well formed whatever happens", [Schema.Array(SessionEvent)], ([list]) => {
    const opened = recorded().events
    const items = History.conversation(historyOf([...opened, ...list]))
    for (const item of items) Schema.decodeUnknownSync(HistoryItem)(item)
    const calls = items.filter((item) => item.type === "tool_call").length
    assert.strictEqual(items.filter((item) => item.type === "tool_result").length, calls)
  })

  it("leaves what it was folded from as it was", () => {
    const { events } = new Recording().tell(...richStory)
    const half = historyOf(events.slice(0, 60))
    const before = JSON.stringify(History.conversation(half))
    const place = { seq: 61, recordedAt: 61 }
    const one = History.apply(half, { ...place, event: events[60]! })
    const message = {
      _tag: "SystemMessageReceived",
      threadId: make.threadId(),
      inputId: make.inputId(99),
      at: 1
    } as const
    const other = History.apply(half, { ...place, event: { ...message, content: text("another way") } })
    assert.strictEqual(JSON.stringify(History.conversation(half)), before)
    assert.notInclude(short(History.conversation(one)), "system: another way")
    assert.include(short(History.conversation(other)), "system: another way")
  })
})
