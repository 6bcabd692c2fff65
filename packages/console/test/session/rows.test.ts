import type { JsonObject } from "@troupe/domain/Json"
import type { TimelineCall, TimelineTurn } from "@troupe/domain/session/Timeline"
import { assert, describe, it } from "vitest"
import { tell, untold } from "../../src/session/fold.logic.ts"
import { meters, standing } from "../../src/session/meters.logic.ts"
import { changesText, firstAsk, primaryOf, rowsOf, stateOf, summaryOf } from "../../src/session/rows.logic.ts"
import { endOf, workingText } from "../../src/session/turn.logic.ts"
import { goldenLog } from "./goldenLog.ts"

const log = goldenLog()
const places = log.reduce((told, event) => [...told, tell(told.at(-1)!, [event]).told], [untold])
const at = (seq: number) => places[seq]!.timeline
const nothing = new Map()
const call = (some: Partial<TimelineCall>) =>
  ({ kind: "call", name: "bash", outcome: null, awaits: "nothing", startedAt: null, ...some }) as TimelineCall

describe("the rows of a timeline", () => {
  it("can be drawn at every place of a log, each with a key of its own", () => {
    for (let seq = 1; seq <= log.length; seq++) {
      for (const thread of at(seq).threads) {
        const keys = rowsOf(thread, nothing).map(({ key }) => key)
        assert.strictEqual(new Set(keys).size, keys.length, `at ${seq}`)
      }
    }
  })

  it("are made again only for what changed", () => {
    const before = rowsOf(primaryOf(at(log.length))!, nothing)
    const thread = primaryOf(tell(untold, log).told.timeline)!
    const first = rowsOf(thread, nothing)
    assert.strictEqual(rowsOf({ ...thread }, nothing)[0], first[0])
    assert.deepStrictEqual(first, before)
  })

  it("keep calls that follow one another together, and those that ask a person apart", () => {
    const kinds = new Set(
      log.flatMap((_, seq) => at(seq + 1).threads.flatMap((one) => rowsOf(one, nothing))).map(({ kind }) => kind)
    )
    for (const kind of [
      "message",
      "text",
      "thinking",
      "calls",
      "asks",
      "subagent",
      "error",
      "note",
      "working",
      "end",
      "queued"
    ] as const) {
      assert.isTrue(kinds.has(kind), kind)
    }
  })

  it("show what is being written at the end, in the place of a sign that it works", () => {
    const seq = log.findIndex(({ type }) => type === "ModelRequestStarted") + 1
    const thread = primaryOf(at(seq))!
    const rows = rowsOf(thread, new Map([["sevt_1", { text: "Hello", end: 5 }]]))
    assert.isTrue(rows.some(({ kind }) => kind === "writing"))
    assert.isFalse(rows.some(({ kind }) => kind === "working"))
  })
})

describe("what the platform noted", () => {
  const rowOf = (code: string, message: string, details: JsonObject = {}) => {
    const thread = primaryOf(at(log.length))!
    const item = { kind: "noted", seq: 1, at: 0, code, message, details } as const
    return rowsOf({ ...thread, turns: [{ ...thread.turns[0]!, items: [item] }] }, nothing)[0]
  }

  it("is said where it happened, with what to do", () => {
    assert.deepInclude(rowOf("output_collected", "/outputs/a.csv"), {
      kind: "note",
      tone: "plain",
      text: "Kept /outputs/a.csv among the outputs"
    })
    assert.deepInclude(rowOf("checkpoint_failed", "The disk is full"), { tone: "warn", text: "The disk is full" })
    const authorize = { server_id: "mcpsrv_1", method: "POST", path: "/v1/mcp_servers/mcpsrv_1/authorize" }
    assert.deepInclude(rowOf("mcp_authentication_failed", "Log in", { authorize }), { toConnect: "mcpsrv_1" })
    assert.notProperty(rowOf("mcp_connection_failed", "It is away", { authorize: "odd" }), "toConnect")
  })
})

describe("what a turn changed", () => {
  it("is said in a line, with names where they are few", () => {
    const path = (name: string) => ({ path: name, change: "changed", added: 1, deleted: 0 }) as const
    const some = { files: 1, added: 1, deleted: 0, paths: [path("a")], isComplete: true }
    assert.strictEqual(changesText(some), "Changed 1 file (+1 −0): a")
    const many = { ...some, files: 1_000, paths: ["a", "b", "c", "d"].map(path), isComplete: false }
    assert.strictEqual(changesText(many), "Changed 1000 or more files (+1 −0)")
  })
})

describe("calls", () => {
  it("say together what they did", () => {
    const calls = ["bash", "bash", "read", "deploy"].map((name) => call({ name }))
    assert.strictEqual(summaryOf(calls), "Ran 2 commands, read a file, called deploy")
  })

  it("stand somewhere, each by its outcome", () => {
    assert.strictEqual(stateOf(call({ outcome: "succeeded" })).light, "good")
    assert.strictEqual(stateOf(call({ outcome: "unknown" })).text, "Whether it finished is not known")
    assert.strictEqual(stateOf(call({ startedAt: 1 })).light, "running")
    assert.strictEqual(stateOf(call({ awaits: "result" })).light, "waiting")
  })
})

describe("a session's standing", () => {
  it("is that it waits, while a call asks a person", () => {
    const seq =
      log.findIndex(({ payload, type }) => type === "ToolRequested" && payload?.["awaits"] === "confirmation") + 1
    const timeline = at(seq)
    assert.strictEqual(firstAsk(primaryOf(timeline))!.awaits, "confirmation")
    assert.strictEqual(standing(timeline).text, "Waits for approval")
  })

  it("is told at every place of a log, with the numbers that there are", () => {
    for (let seq = 0; seq <= log.length; seq++) assert.isNotEmpty(meters(at(seq), null).status.text)
    assert.isAbove(meters(at(log.length), null).tokens, 0)
  })
})

describe("a turn", () => {
  const turns = at(log.length).threads.flatMap((thread) => thread.turns)

  it("ends with what it took; what is not priced makes it unknown", () => {
    const request = {
      kind: "request",
      usage: { inputTokens: 10, outputTokens: 5, costMicroUsd: 7 }
    } as unknown as TimelineTurn["items"][number]
    const turn = { ...turns[0]!, items: [request, request], startedAt: 1_000, endedAt: 3_500 }
    assert.deepInclude(endOf(turn), { tokens: 30, microUsd: 14, ms: 2_500 })
    const search = call({ startedAt: 1, webSearches: 2 })
    assert.deepInclude(endOf({ ...turn, items: [request, search] }), { tokens: 15, microUsd: 20_007 })
    const unpriced = { ...request, usage: { inputTokens: 1, outputTokens: 1, costMicroUsd: null } } as typeof request
    assert.isNull(endOf({ ...turn, items: [request, unpriced, request] }).microUsd)
  })

  it("says why nothing is heard of it", () => {
    const turn = { ...turns[0]!, state: "placing", attempts: [] } as TimelineTurn
    assert.strictEqual(workingText({ ...turn, reason: "no_runner" }), "No runner is connected: it waits for one")
    assert.strictEqual(workingText({ ...turn, reason: "some_reason" }), "Waiting (some reason)")
    assert.strictEqual(workingText({ ...turn, reason: null }), "Finding a runner")
  })
})
