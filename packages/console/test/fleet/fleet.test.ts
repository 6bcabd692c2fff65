import type { Fleet } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { concernsOf, peopleText, releasesOf, shareOf, waitText } from "../../src/fleet/fleet.logic.ts"

const node: Fleet["nodes"][number] = {
  type: "fleet_node",
  id: "a",
  address: "10.0.0.1:4778",
  release: "0.1.0",
  started_at: "2026-01-01T00:00:00.000Z",
  shards: 150,
  runners: 1,
  answered: true
}
const well: Fleet = {
  type: "fleet",
  nodes: [node, { ...node, id: "b", answered: false }],
  shards: { total: 300, owned: 300 },
  log: { horizon_age_ms: 0, projections: [{ name: "inbox", version: 1, live: true, lag_ms: 120 }] },
  sessions: { running: 2, rescheduling: 0, approvals: 1, questions: 0 },
  queues: {
    turn: { turns: 2, oldest_ms: 90_000 },
    person: { turns: 0, oldest_ms: null },
    runner: { turns: 0, oldest_ms: null }
  },
  work: { queued: 1, claimed: 0, oldest_queued_ms: 900 },
  runners: { connected: 2, draining: 1, attempts: 2, sessions: 3 }
}
const concerns = (change: Partial<Fleet>) => concernsOf({ ...well, ...change }).map(({ what }) => what)

describe("a fleet", () => {
  it("needs nobody where all is as it should be", () => assert.deepStrictEqual(concerns({}), []))

  it("says what somebody should look at", () => {
    assert.deepStrictEqual(concerns({ shards: { total: 300, owned: 299 } }), ["1 shard without a node"])
    assert.deepStrictEqual(concerns({ log: { ...well.log, horizon_age_ms: 90_000 } }), [
      "A transaction has been writing for 1 min 30 s"
    ])
    assert.deepStrictEqual(concerns({ work: { queued: 1, claimed: 0, oldest_queued_ms: 120_000 } }), [
      "Work has waited for a worker for 2 min 0 s"
    ])
  })

  it("says that a table is behind, unless nobody reads it yet", () => {
    const behind = { name: "usage", version: 2, lag_ms: 8_000 }
    assert.deepStrictEqual(concerns({ log: { horizon_age_ms: 0, projections: [{ ...behind, live: true }] } }), [
      "usage is 8.0 s behind the log"
    ])
    assert.deepStrictEqual(concerns({ log: { horizon_age_ms: 0, projections: [{ ...behind, live: false }] } }), [])
  })

  it("says why turns wait", () => {
    const none = { connected: 0, draining: 0, attempts: 0, sessions: 0 }
    assert.deepStrictEqual(concerns({ runners: none }), ["No runner is connected"])
    assert.deepStrictEqual(concerns({ runners: { ...none, connected: 1, draining: 1 } }), ["All runners are draining"])
  })

  it("says that turns wait although there are runners", () => {
    const queues = { ...well.queues, runner: { turns: 3, oldest_ms: 120_000 } }
    assert.deepStrictEqual(concerns({ queues }), ["3 turns wait for a runner, for up to 2 min 0 s"])
    assert.deepStrictEqual(concerns({ queues: { ...queues, runner: { turns: 3, oldest_ms: 900 } } }), [])
  })

  it("counts what waits for people, and says for how long others wait", () => {
    assert.deepStrictEqual(peopleText(well.sessions, well.queues), { value: "1", more: "1 approval, 0 questions" })
    const queues = { ...well.queues, person: { turns: 2, oldest_ms: 5 } }
    assert.deepStrictEqual(peopleText(well.sessions, queues), { value: "3", more: "1 approval, 0 questions, 2 turns" })
    assert.strictEqual(waitText(well.queues.turn), "for up to 1 min 30 s")
    assert.strictEqual(waitText(well.queues.runner), "")
  })

  it("has nodes with their part of the shards, and says when releases run side by side", () => {
    assert.strictEqual(shareOf(node, 300), 0.5)
    assert.strictEqual(shareOf(node, 0), 0)
    assert.lengthOf(releasesOf([node, { ...node, release: "0.2.0" }, node]), 2)
  })
})
