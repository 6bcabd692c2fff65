import type { Timeline } from "@troupe/domain/session/Timeline"
import { assert, describe, it } from "vitest"
import { scaleOf, spansOf, tookAt } from "../../src/trace/trace.logic.ts"

const call = {
  kind: "call",
  seq: 4,
  callId: "c1",
  name: "bash",
  input: { command: "ls" },
  editedInput: null,
  awaits: "nothing",
  decision: { type: "allow_once" },
  requestedAt: 1_100,
  decidedAt: 1_600,
  startedAt: 1_700,
  endedAt: 1_900,
  isError: false,
  webSearches: 0
}
const request = {
  kind: "request",
  seq: 3,
  at: 1_000,
  model: "demo",
  outcome: "succeeded",
  usage: null,
  durationMs: 90,
  subagentId: null
}
const turn = (startedAt: number, endedAt: number | null, items: ReadonlyArray<object> = []) => ({
  turnId: `turn-${startedAt}`,
  startedAt,
  endedAt,
  state: endedAt === null ? "running" : "completed",
  attempts: [],
  items
})
const timeline = (...turns: ReadonlyArray<object>) => ({ threads: [{ turns }] }) as unknown as Timeline

describe("a trace", () => {
  it("tells requests, waits for people and calls apart, each with its time", () => {
    const spans = spansOf(timeline(turn(1_000, 2_000, [request, call])))
    assert.deepStrictEqual(
      spans.map(({ from, kind, name, to }) => [kind, name, from, to]),
      [
        ["turn", "Turn 1", 1_000, 2_000],
        ["model", "demo", 1_000, 1_090],
        ["wait", "Approval", 1_100, 1_600],
        ["tool", "bash", 1_700, 1_900]
      ]
    )
  })

  it("tells a sub-agent, and its requests below it", () => {
    const helper = { kind: "subagent", seq: 4, at: 1_100, subagentId: "s1", name: "helper", task: "Look it up" }
    const asked = { ...request, at: 1_200, subagentId: "s1" }
    const spans = (some: object) => spansOf(timeline(turn(1_000, 2_000, [{ ...helper, ...some }, asked]))).slice(1)
    assert.deepStrictEqual(
      spans({ outcome: "failed", durationMs: 300 }).map(({ depth, from, isBad, name, to }) => [
        name,
        depth,
        from,
        to,
        isBad
      ]),
      [
        ["Sub-agent helper", 1, 1_100, 1_400, true],
        ["demo", 2, 1_200, 1_290, false]
      ]
    )
    assert.isNull(spans({ outcome: null, durationMs: null })[0]!.to)
  })

  it("says what requests and searches cost, and their turns, unless a price is not known", () => {
    const priced = (costMicroUsd: number | null) => ({
      ...request,
      usage: { inputTokens: 1, outputTokens: 1, costMicroUsd }
    })
    const costs = (...items: ReadonlyArray<object>) =>
      spansOf(timeline(turn(0, 100, items))).map(({ costMicroUsd }) => costMicroUsd)
    assert.deepStrictEqual(costs(priced(5), priced(7), call), [12, 5, 7, undefined, undefined])
    assert.deepStrictEqual(costs(priced(5), priced(null)), [null, 5, null])
    const searching = { ...call, webSearches: 2 }
    assert.deepStrictEqual(costs(priced(5), searching), [20_005, 5, undefined, 20_000])
    assert.deepStrictEqual(costs(request), [undefined, undefined])
  })

  it("leaves out the time between turns, and lets what is open reach to now", () => {
    const spans = spansOf(timeline(turn(0, 100), turn(1_000_000, null)))
    const scale = scaleOf(spans, 1_000_300)
    assert.strictEqual(scale.total, 400)
    assert.deepStrictEqual(scale.place(spans[0]!), { left: 0, width: 0.25 })
    assert.deepStrictEqual(scale.place(spans[1]!), { left: 0.25, width: 0.75 })
  })

  it("has a place for a call that somebody has yet to decide about, and none for its work", () => {
    const waiting = { ...call, awaits: "confirmation", decidedAt: null, startedAt: null, endedAt: null, decision: null }
    assert.deepStrictEqual(
      spansOf(timeline(turn(1_000, null, [waiting]))).map(({ kind, to }) => [kind, to]),
      [
        ["turn", null],
        ["wait", null]
      ]
    )
  })

  it("says how long one took where there is room for it", () => {
    assert.strictEqual(tookAt({ left: 0.1, width: 0.2 }), "after")
    assert.strictEqual(tookAt({ left: 0.7, width: 0.3 }), "before")
    assert.strictEqual(tookAt({ left: 0.05, width: 0.95 }), "within")
  })
})
