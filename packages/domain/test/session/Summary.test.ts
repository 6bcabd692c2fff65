import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import { OpenSession } from "../../src/session/SessionState.ts"
import { equals, summarize } from "../../src/session/Summary.ts"
import { after } from "./given.ts"
import * as make from "./make.ts"

const opened = make.open({ title: "A day", labels: ["a"], metadata: { team: "blue" } })
const summary = (...bodies: ReadonlyArray<SessionCommand>) => summarize(after(opened, ...bodies).session, 7)

describe("summarize", () => {
  it("shows a session at rest", () =>
    assert.deepInclude(summary(), {
      status: "idle",
      statusReason: "end_turn",
      title: "A day",
      labels: ["a"],
      metadata: { team: "blue" },
      origin: "api",
      turns: 0,
      tokens: 0,
      costMicroUsd: 0,
      openRequests: 0,
      updatedAt: 7,
      archivedAt: null
    }))

  it("adds up what its turns used", () => {
    const used = [make.requestStarted(1), make.requestEnded(1), make.completed()]
    const row = summary(make.send(make.message(1)), make.start(1), make.frames(1, 1, ...used))
    assert.deepInclude(row, { turns: 1, tokens: 15, costMicroUsd: 100, status: "idle" })
  })

  it("does not take an unknown price for nothing", () => {
    const unpriced = [make.requestStarted(1), make.requestEnded(1, { costMicroUsd: null })]
    const row = summary(make.send(make.message(1)), make.start(1), make.frames(1, 1, ...unpriced))
    assert.isNull(row.costMicroUsd)
  })

  it("counts what somebody owes, also while other calls run", () => {
    const calls = [make.requestStarted(1), make.asked(1), make.question(2), make.requested(3), make.started(3)]
    const working = [make.send(make.message(1)), make.start(1), make.frames(1, 1, ...calls)]
    assert.deepInclude(summary(...working), { status: "running", statusReason: null, openRequests: 2 })
    const resting = [...working, make.frames(1, 6, make.finished(3), make.suspended())]
    assert.deepInclude(summary(...resting), { status: "idle", statusReason: "requires_action", openRequests: 2 })
    const lost = [make.requestStarted(1), make.requested(1), make.started(1)]
    const doubtful = summary(make.send(make.message(1)), make.start(1), make.frames(1, 1, ...lost), make.lose(1))
    assert.strictEqual(doubtful.openRequests, 1)
    assert.strictEqual(summary(make.send(make.message(1, { needsApproval: true }))).openRequests, 1)
    assert.strictEqual(summary(...resting, make.archive).openRequests, 0)
  })

  it("tells archived from deleted", () => {
    const archived = summary(make.archive)
    assert.deepInclude(archived, { status: "terminated", deletedAt: null })
    assert.isNotNull(archived.archivedAt)
    assert.isNotNull(summary(make.archive, make.remove).deletedAt)
  })
})

describe("equals", () => {
  it("asks only whether a list would show the same", () => {
    assert.isTrue(equals(summary(), { ...summary(), updatedAt: 8 }))
    assert.isTrue(equals(summary(), JSON.parse(JSON.stringify(summary()))))
    for (const change of [{ labels: ["b"] }, { labels: [] }, { metadata: {} }, { turns: 1 }, { title: null }]) {
      assert.isFalse(equals(summary(), { ...summary(), ...change }), JSON.stringify(change))
    }
    const renamed = { ...summary(), metadata: { crew: "blue" } }
    assert.isFalse(equals(summary(), renamed))
  })

  it.prop("holds of any session's row and its copy", [OpenSession], ([session]) => {
    const row = summarize(session, 1)
    assert.isTrue(equals(row, JSON.parse(JSON.stringify(summarize(session, 2)))))
    Schema.decodeUnknownSync(Schema.Struct({ openRequests: Schema.Int, tokens: Schema.Int }))(row)
  })
})
