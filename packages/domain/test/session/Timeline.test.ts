import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { text } from "../../src/session/Content.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import * as Timeline from "../../src/session/Timeline.ts"
import { recorded, Recording } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"
import * as make from "./make.ts"

const timelineOf = ({ events, rows }: Recording) =>
  events.reduce((view, event, index) => Timeline.apply(view, { ...rows[index]!, event }), Timeline.initial)

const told = (...bodies: ReadonlyArray<SessionCommand>) => timelineOf(recorded(...bodies)).threads[0]!
const working = [make.send(make.message(1)), make.start(1)]

const calls = (turn: Timeline.TimelineTurn) => turn.items.filter((item) => item.kind === "call")

describe("Timeline", () => {
  const rich = timelineOf(new Recording().tell(...richStory))

  it("tells the turns of a whole session", () => {
    const [primary] = rich.threads
    assert.deepStrictEqual(
      primary!.turns.map(({ attempts, reason, state }) => [state, reason, attempts.map(({ end }) => end)]),
      [
        ["completed", "end_turn", ["completed"]],
        ["interrupted", null, ["suspended", "interrupted"]],
        ["failed", "model_overloaded_error", ["lost", "failed"]],
        ["completed", "max_steps", ["rescheduled", "failed", "completed"]]
      ] as never
    )
    assert.deepStrictEqual([primary!.queue, primary!.steers, primary!.inbox], [[], [], []])
    assert.deepInclude(rich, { title: "A long day", status: "idle", paused: false })
  })

  it("shows a turn's items in their order", () =>
    assert.deepStrictEqual(
      rich.threads[0]!.turns[1]!.items.map(({ kind }) => kind),
      [
        "message",
        "request",
        "call",
        "call",
        "call",
        "call",
        "request",
        "text",
        "message",
        "request",
        "text",
        "interrupt"
      ]
    ))

  it("keeps the plan of a thread, and what a turn changed, each in its place", () => {
    const steps = [{ step: "look", status: "in_progress" }]
    const changes = { files: 1, added: 2, deleted: 0, paths: [], isComplete: true }
    const planned = (items: ReadonlyArray<object>) =>
      ({ _tag: "Noted", event: { _tag: "PlanUpdated", threadId: make.threadId(), items } }) as never
    const captured = { _tag: "WorkingCopyCaptured", checkpoint: "c1", bytes: 1, files: 1 } as const
    const view = timelineOf(
      recorded(...working, make.frames(1, 1, planned([...steps, {}]), captured, { ...captured, changes }))
    )
    assert.deepStrictEqual(view.threads[0]!.plan?.steps, steps as never)
    assert.deepStrictEqual(
      view.threads[0]!.turns[0]!.items.flatMap((item) => (item.kind === "captured" ? [item.changes] : [])),
      [null, changes]
    )
    assert.deepStrictEqual(
      view.notes.map(({ event }) => event._tag).filter((tag) => tag === "PlanUpdated"),
      []
    )
    assert.isNull(told(...working, make.frames(1, 1, planned(steps), planned([]))).plan)
  })

  it("shows what the platform noted where it happened, and beside the turns before there is one", () => {
    const event = { _tag: "PlatformNoted", code: "mcp_connection_failed", message: "It is away", details: {} } as const
    const note = { _tag: "Note", event } as const
    const view = timelineOf(recorded(note, ...working, make.frames(1, 1, { _tag: "Noted", event } as never), note))
    assert.deepStrictEqual(
      view.threads[0]!.turns[0]!.items.flatMap((item) => (item.kind === "noted" ? [[item.code, item.message]] : [])),
      [
        ["mcp_connection_failed", "It is away"],
        ["mcp_connection_failed", "It is away"]
      ]
    )
    assert.strictEqual(view.notes.filter((one) => one.event._tag === "PlatformNoted").length, 1)
  })

  it("shows with each call what became of it", () => {
    const [edited, denied, answered, asked] = calls(rich.threads[0]!.turns[1]!)
    assert.deepInclude(edited, { outcome: "succeeded", editedInput: { command: "ls -l" }, durationMs: 3 })
    assert.deepInclude(denied, { outcome: "denied", content: text("not today") })
    assert.deepInclude(answered, { outcome: "succeeded", content: text("result"), executor: "client" })
    assert.deepInclude(asked, { outcome: "succeeded", answer: "yes" })
    assert.isAbove(edited!.decidedAt!, edited!.requestedAt)
  })

  it("shows a sub-agent with what it was asked, what came of it and what its own requests used", () => {
    const { items } = rich.threads[0]!.turns[0]!
    const [helper] = items.filter((item) => item.kind === "subagent")
    assert.deepInclude(helper, { name: "helper", task: "Look it up", callId: make.callId(1), parentId: null })
    assert.deepInclude(helper, { outcome: "succeeded", summary: "found it", durationMs: 7 })
    assert.deepStrictEqual(
      helper!.used.map(({ costMicroUsd }) => costMicroUsd),
      [100]
    )
    assert.deepStrictEqual(
      items.flatMap((item) => (item.kind === "request" ? [item.subagentId] : [])),
      [null, make.subagentId(1), null]
    )
  })

  it("shows what a call waits for", () => {
    const thread = told(...working, make.frames(1, 1, make.requestStarted(1), make.asked(1), make.suspended()))
    const [turn] = thread.turns
    assert.deepInclude(turn, { state: "suspended", reason: "requires_action" })
    assert.deepInclude(calls(turn!)[0], { awaits: "confirmation", decision: null, outcome: null })
    assert.strictEqual(thread.status, "idle")
  })

  it("shows the queue as it will be taken", () => {
    const thread = told(
      ...working,
      make.send(make.message(2), make.message(3), make.message(4), make.message(5, { mode: "steer" })),
      { _tag: "MoveTurn", turnId: make.turnId(4), before: make.turnId(2), queueVersion: null },
      { _tag: "EditTurn", turnId: make.turnId(3), queueVersion: null, content: text("edited") },
      { _tag: "WithdrawTurn", turnId: make.turnId(2), queueVersion: null }
    )
    assert.deepStrictEqual(
      thread.queue.map(({ content, turnId }) => [turnId, content]),
      [
        [make.turnId(4), text("message 4")],
        [make.turnId(3), text("edited")]
      ]
    )
    assert.deepStrictEqual(
      thread.steers.map(({ inputId }) => inputId),
      [make.inputId(5)]
    )
  })

  it("puts a steer that nobody took at the front of the queue", () => {
    const thread = told(
      ...working,
      make.send(make.message(2), make.message(3, { mode: "steer" })),
      make.pause,
      make.frames(1, 1, make.completed())
    )
    assert.deepStrictEqual(
      thread.queue.map(({ turnId }) => turnId),
      [make.turnId(3), make.turnId(2)]
    )
    assert.deepStrictEqual(thread.steers, [])
  })

  it("keeps what concerns the session beside the turns", () => {
    const kinds = rich.notes.map(({ event }) => event._tag)
    for (const tag of [
      "SessionOpened",
      "SystemMessageReceived",
      "TimerSet",
      "SkillLoaded",
      "SandboxCreated"
    ] as const) {
      assert.include(kinds, tag)
    }
    assert.notInclude(kinds, "ToolConfirmed")
  })

  it("has every queue as the state has it", () => {
    const story = new Recording()
    for (const body of richStory) {
      story.tell(body)
      if (story.state._tag !== "Open") continue
      const { threads } = timelineOf(story)
      assert.deepStrictEqual(
        threads.map(({ queue, steers }) => [queue.map(({ inputId }) => inputId), steers.map(({ inputId }) => inputId)]),
        story.state.threads.map(({ queue, turn }) => [
          queue.map(({ inputId }) => inputId),
          (turn?.steers ?? []).map(({ inputId }) => inputId)
        ])
      )
    }
  })

  it.prop("takes any event", [Schema.Array(SessionEvent)], ([events]) => {
    const before = JSON.stringify(rich)
    events.reduce((view, event, index) => Timeline.apply(view, { seq: index, recordedAt: index, event }), rich)
    assert.strictEqual(JSON.stringify(rich), before)
  })
})
