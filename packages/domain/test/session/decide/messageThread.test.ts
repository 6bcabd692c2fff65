import { assert, describe, it } from "@effect/vitest"
import { text } from "../../../src/session/Content.ts"
import { Limits } from "../../../src/Limits.ts"
import * as History from "../../../src/session/History.ts"
import * as Timeline from "../../../src/session/Timeline.ts"
import { after, type Story } from "../given.ts"
import {
  completed,
  frames,
  inputId,
  limit,
  message,
  messageThread,
  open,
  openThread,
  requestEnded,
  requestStarted,
  send,
  start,
  steerTaken,
  threadId,
  turnId
} from "../make.ts"

const two = after(open(), openThread(2))
const placed = ({ log }: Story) => log.map((event, index) => ({ seq: index + 1, recordedAt: 1_000 * index, event }))
const said = (story: Story, thread: number) =>
  History.conversation(placed(story).reduce(History.apply, History.initial(threadId(thread))))
const seen = (story: Story, thread: number) =>
  placed(story)
    .reduce(Timeline.apply, Timeline.initial)
    .threads.find((one) => one.threadId === threadId(thread))!

describe("a thread that tells another one something", () => {
  it("makes a turn there, which says from whom it is", () => {
    two
      .when(messageThread(5, 1, 2))
      .thenEvents(
        { _tag: "ThreadMessaged", fromThreadId: threadId(1), threadId: threadId(2), turnId: turnId(5) },
        { _tag: "TurnQueued", threadId: threadId(2), inputId: inputId(5), place: "back", queueVersion: 1 },
        { _tag: "TurnStarted", threadId: threadId(2), turnId: turnId(5) },
        { _tag: "MessageTaken", inputId: inputId(5), from: threadId(1), content: text("message 5") },
        "StatusChanged"
      )
  })

  it("is heard once, when its message is taken up", () => {
    const busy = two.and(send(message(1, { threadId: threadId(2) })), start(1, 1, 2), messageThread(5, 1, 2))
    assert.deepStrictEqual(
      said(busy, 2).map((item) => "content" in item && item.content),
      [text("message 1")]
    )
    assert.deepStrictEqual(
      seen(busy, 2).queue.map(({ from, inputId }) => [from, inputId]),
      [[threadId(1), inputId(5)]]
    )
    const done = busy.and(frames(1, 1, completed()), start(5, 2, 2), frames(2, 1, completed()))
    const [, second, ...rest] = said(done, 2)
    assert.deepStrictEqual(second, {
      type: "user",
      inputId: inputId(5),
      from: threadId(1),
      content: text("message 5")
    })
    assert.deepStrictEqual(rest, [])
    const [item] = seen(done, 2).turns[1]!.items
    assert.deepInclude(item, { kind: "message", from: threadId(1), inputId: inputId(5) })
    assert.deepStrictEqual(said(done, 1), [])
  })

  it("may be let join the turn that runs, and is not forgotten if no model request comes", () => {
    const joining = two.and(send(message(1, { threadId: threadId(2) })), start(1, 1, 2), messageThread(5, 1, 2), {
      _tag: "SteerTurn",
      turnId: turnId(5),
      queueVersion: null
    })
    assert.strictEqual(joining.turn(2).steers[0]?.from, threadId(1))
    joining
      .when(frames(1, 1, steerTaken(5), requestStarted(1), requestEnded(1)))
      .thenEvent({ _tag: "MessageTaken", inputId: inputId(5), from: threadId(1) })
    joining.when(frames(1, 1, completed())).thenEvent({ _tag: "MessageTaken", inputId: inputId(5), from: threadId(1) })
  })

  it("names two open threads, and says something", () => {
    two.when(messageThread(5, 1, 1)).thenRejected({ _tag: "Invalid", field: "threadId" })
    two.when(messageThread(5, 9, 2)).thenRejected({ _tag: "UnknownThread", threadId: threadId(9) })
    two.when(messageThread(5, 1, 9)).thenRejected({ _tag: "UnknownThread", threadId: threadId(9) })
    two.when({ ...messageThread(5, 1, 2), content: [] }).thenRejected({ _tag: "Invalid", field: "content" })
    const archived = two.and({ _tag: "ArchiveThread", threadId: threadId(2) })
    archived.when(messageThread(5, 2, 1)).thenRejected("UnknownThread")
  })

  it("uses ids of its own", () => {
    const told = two.and(send(message(1)), messageThread(5, 1, 2))
    told.when({ ...messageThread(6, 1, 2), turnId: turnId(5) }).thenRejected({ _tag: "IdTaken", id: turnId(5) })
    told.when(messageThread(1, 1, 2)).thenRejected("IdTaken")
  })

  it("is not heard where nothing may begin, or no queue has room", () => {
    const spent = after(open({ budget: [limit("model_requests", 1)] }), openThread(2), send(message(1)), start(1))
      .and(frames(1, 1, requestStarted(1), requestEnded(1), completed()))
      .when(messageThread(5, 1, 2))
    spent.thenRejected("BudgetReached")
    const full = Array.from({ length: Limits.queuedTurnsMax / 50 }, (_, page) =>
      send(...Array.from({ length: 50 }, (_, n) => message(100 + page * 50 + n, { threadId: threadId(2) })))
    )
    two
      .and({ _tag: "Pause" }, ...full)
      .when(messageThread(5, 1, 2))
      .thenRejected("QueueFull")
  })
})
