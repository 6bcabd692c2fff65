import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { assert, describe, it } from "@effect/vitest"
import * as Checkpoint from "../../src/runners/Checkpoint.ts"

const requested = (callId: string, more: object = {}) => ({
  _tag: "ToolRequested",
  callId,
  executor: "sandbox",
  readOnly: false,
  ...more
})
const started = (callId: string) => ({ _tag: "ToolStarted", callId })
const finished = (callId: string) => ({ _tag: "ToolFinished", callId })
const did = (callId: string) => [requested(callId), started(callId), finished(callId)]
const captured = (checkpoint: string) => ({ _tag: "WorkingCopyCaptured", checkpoint })
const rewound = { _tag: "WorkingCopyRewound", toSeq: 1, callIds: [] }

const after = (...events: ReadonlyArray<object>) =>
  events.reduce<Checkpoint.Checkpoint>(
    (state, event, index) => Checkpoint.apply(state, index + 1, event as SessionEvent),
    Checkpoint.initial
  ).last as unknown

describe("the last checkpoint", () => {
  it("is none before the first", () => {
    assert.isNull(after(...did("a")))
  })

  it("is what a fork left with, until it has one of its own", () => {
    const checkpoint = { checkpoint: "parent's", lacks: ["x"] }
    const opened = { _tag: "SessionOpened", origin: { type: "fork", checkpoint } }
    assert.deepStrictEqual(after(opened, ...did("a")), { checkpoint: "parent's", seq: 1, lacks: ["x", "a"] })
    assert.deepStrictEqual(after(opened, captured("own")), { checkpoint: "own", seq: 2, lacks: [] })
    assert.isNull(after({ _tag: "SessionOpened", origin: { type: "fork" } }))
  })

  it("has what was done before it", () => {
    assert.deepStrictEqual(after(...did("a"), captured("one")), { checkpoint: "one", seq: 4, lacks: [] })
  })

  it("lacks the calls that began since, and only those that change what is there", () => {
    const reads = [requested("b", { readOnly: true }), started("b"), finished("b")]
    const elsewhere = [requested("c", { executor: "client" }), started("c"), finished("c")]
    const events = [captured("one"), ...did("a"), ...reads, ...elsewhere, requested("d")]
    assert.deepStrictEqual(after(...events), { checkpoint: "one", seq: 1, lacks: ["a"] })
  })

  it("lacks what was under way when it was captured", () => {
    const events = [requested("a"), started("a"), captured("one"), finished("a")]
    assert.deepStrictEqual(after(...events), { checkpoint: "one", seq: 3, lacks: ["a"] })
  })

  it("is the newest, which has what the one before lacked", () => {
    assert.deepStrictEqual(after(captured("one"), ...did("a"), captured("two")), {
      checkpoint: "two",
      seq: 5,
      lacks: []
    })
  })

  it("lacks nothing more once the working copy was set back to it and the model was told", () => {
    assert.deepStrictEqual(after(captured("one"), ...did("a"), rewound, ...did("b")), {
      checkpoint: "one",
      seq: 1,
      lacks: ["b"]
    })
  })
})
