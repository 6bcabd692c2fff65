import type { Session } from "@troupe/client"
import { noTotals } from "@troupe/domain/session/Usage"
import { initial, type Timeline, type TimelineTurn } from "@troupe/domain/session/Timeline"
import { assert, describe, it } from "vitest"
import {
  boundsDraftOf,
  boundsOf,
  boundsUpdateOf,
  heldBy,
  nearest,
  wrongWithBounds
} from "../../src/session/limits.logic.ts"

const limit = { metric: "model_requests", max: 4, enforcement: "soft", scope: "session" } as const
const bounded = (limits: Session["troupe"]["limits"], cents?: string) =>
  ({
    budget: cents === undefined ? null : { type: "limit", max_list_cost: { amount: cents, currency: "USD" } },
    troupe: { limits }
  }) as Session

const request = { kind: "request", usage: { inputTokens: 10, outputTokens: 5, costMicroUsd: 7 } }
const turn = (some: object): TimelineTurn =>
  ({
    turnId: "turn_1",
    startedAt: 0,
    endedAt: null,
    state: "suspended",
    reason: null,
    attempts: [],
    items: [],
    ...some
  }) as never

const timelineOf = (
  turns: ReadonlyArray<TimelineTurn>,
  some: Partial<Timeline> = {},
  queue: ReadonlyArray<object> = []
) =>
  ({
    ...initial,
    threads: [{ threadId: "thrd_1", parentThreadId: null, queue, turns }],
    ...some
  }) as unknown as Timeline

const totals = { ...noTotals, modelRequests: 4, costMicroUsd: 50_000 }

describe("what bounds a session", () => {
  it("is its budget and its limits, each with what is used of it", () => {
    const bounds = boundsOf(timelineOf([], { totals }), bounded([limit], "10"))
    assert.deepStrictEqual(
      bounds.map(({ share, title, used }) => [title, used, share]),
      [
        ["Budget of $0.10, then it stops", "$0.05", 0.5],
        ["4 requests to models in all, then it asks", "4 requests to models", 1]
      ]
    )
    assert.strictEqual(nearest(bounds)?.share, 1)
    assert.isNull(nearest(boundsOf(timelineOf([]), bounded([]))))
    assert.deepStrictEqual(boundsOf(timelineOf([]), null), [])
  })

  it("is no budget while what was used has no price", () => {
    const unpriced = timelineOf([], { totals: { ...totals, unpricedRequests: 1 } })
    assert.deepStrictEqual(boundsOf(unpriced, bounded([], "10")), [])
  })

  it("is counted for the turn that runs where it is of each turn", () => {
    const items = [request, request, { kind: "call", startedAt: 5 }, { kind: "call", startedAt: null }]
    const attempts = [
      { startedAt: 1_000, endedAt: 61_000 },
      { startedAt: 90_000, endedAt: null }
    ]
    const timeline = timelineOf([turn({ items, attempts })], { totals })
    const ofTurn = (metric: "model_requests" | "tool_calls" | "active_ms", max: number) =>
      boundsOf(timeline, bounded([{ ...limit, metric, max, scope: "turn" }]))[0]?.share
    assert.deepStrictEqual(
      [ofTurn("model_requests", 4), ofTurn("tool_calls", 2), ofTurn("active_ms", 120_000)],
      [0.5, 0.5, 0.5]
    )
  })
})

describe("a change of what bounds a session", () => {
  it("is what was there where nothing else was written", () => {
    const session = bounded([limit, { ...limit, metric: "active_ms", max: 90_000, scope: "turn" }], "250")
    const draft = boundsDraftOf(session)
    assert.strictEqual(draft.budget, "2.5")
    assert.isNull(wrongWithBounds(draft))
    assert.deepStrictEqual(boundsUpdateOf(draft, session), {
      budget: session.budget,
      troupe: { limits: session.troupe.limits }
    })
  })

  it("raises them or takes them away, and makes no budget where there was none", () => {
    const session = bounded([limit], "250")
    assert.isNull(boundsUpdateOf({ ...boundsDraftOf(session), budget: "" }, session).budget)
    assert.deepStrictEqual(boundsUpdateOf({ budget: "5", limits: [] }, bounded([limit])), { troupe: { limits: [] } })
    assert.include(wrongWithBounds({ budget: "much", limits: [] }) ?? "", "dollars")
  })
})

describe("a session that has come up to a limit", () => {
  const rests = timelineOf([turn({ reason: "budget" })], { totals })
  const hard = { ...limit, metric: "tool_calls", max: 2, enforcement: "hard" } as const

  it("goes on once somebody says so where it is a soft one, and only then", () => {
    assert.deepStrictEqual(heldBy(rests, bounded([limit])), {
      isSoft: true,
      text: "4 requests to models in all, then it asks"
    })
    assert.isFalse(heldBy({ ...rests, totals: { ...totals, toolCalls: 2 } }, bounded([limit, hard]))?.isSoft)
  })

  it("keeps the message that would be next", () => {
    const next = [{ needsApproval: false }]
    assert.isTrue(heldBy(timelineOf([turn({ endedAt: 1 })], { totals }, next), bounded([limit]))?.isSoft)
    assert.isNull(heldBy(timelineOf([turn({ endedAt: 1 })], { totals }), bounded([limit])))
    assert.isNull(heldBy(timelineOf([], { totals }, [{ needsApproval: true }]), bounded([limit])))
  })

  it("is not held where it works, is paused, or is over", () => {
    assert.isNull(heldBy(timelineOf([turn({ reason: "no_runner" })], { totals }), bounded([limit])))
    assert.isNull(heldBy({ ...rests, paused: true }, bounded([limit])))
    assert.isNull(heldBy({ ...rests, endedAt: 1 }, bounded([limit])))
    assert.isNull(heldBy(rests, bounded([{ ...limit, max: 5 }])))
  })
})
