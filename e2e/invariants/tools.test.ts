import { assert, describe, it } from "vitest"
import type { Evidence, RealEffect, StoredSession } from "./Evidence.ts"
import { deltas } from "./readers.ts"
import { frames, tools } from "./tools.ts"

const at = 1_000

type Told = readonly [type: string, payload: Readonly<Record<string, unknown>>]

const session = (...told: ReadonlyArray<Told>) =>
  ({
    sessionId: "s",
    events: told.map(([type, payload], index) => ({
      ...{ seq: index + 1, type, payload: JSON.stringify(payload) },
      recordedAt: (at + index) * 1_000
    }))
  }) as unknown as StoredSession

const evidence = (told: ReadonlyArray<Told>, more: Partial<Evidence> = {}): Evidence => ({
  ...{ sessions: [session(...told)], calls: [], notes: [], transcripts: [], feeds: [], settled: true, secrets: [] },
  ...more
})

const requested: Told = ["ToolRequested", { callId: "c", input: { command: "curl http://x/effect-a-1" } }]
const started: Told = ["ToolStarted", { callId: "c" }]
const finished = (outcome: string): Told => ["ToolFinished", { callId: "c", outcome }]
const once: RealEffect = { token: "effect-a-1", at: at + 10 }

const problems = (told: ReadonlyArray<Told>, ...effects: ReadonlyArray<RealEffect>) =>
  [...tools(evidence(told, { effects }))].map(({ detail }) => detail)

describe("the judge of what tools really did", () => {
  it("finds nothing where each call did what the log says", () => {
    assert.deepStrictEqual(problems([requested, started, finished("succeeded")], once), [])
    assert.deepStrictEqual(problems([requested, started, finished("unknown")], once), [])
    assert.deepStrictEqual(problems([requested, started, finished("unknown")]), [])
    assert.deepStrictEqual(problems([requested, finished("denied")]), [])
  })

  it.each([
    ["twice", [requested, started, finished("succeeded")], [once, once], "c had its effect 2 times"],
    ["not at all", [requested, started, finished("succeeded")], [], "c succeeded without an effect"],
    ["although it was denied", [requested, finished("denied")], [once], "c had an effect and did not start"],
    [
      "before its start was in the log",
      [requested, started, finished("succeeded")],
      [{ ...once, at: at - 20 }],
      "c had its effect 21 ms before its start was in the log"
    ],
    ["for nobody", [], [once], "effect-a-1 happened and no call asked for it"]
  ] as const)("finds what happened %s", (_, told, effects, detail) => {
    assert.deepStrictEqual(problems(told, ...effects), [detail])
  })

  it("finds frames that are left out or out of order", () => {
    const frame = (n: number): Told => ["FrameNoted", { attemptId: "a", frame: n }]
    const found = (...numbers: ReadonlyArray<number>) =>
      [...frames(evidence(numbers.map(frame)))].map(({ detail }) => detail)
    assert.deepStrictEqual(found(1, 1, 2, 3), [])
    assert.deepStrictEqual(found(1, 3), ["frame 3 of a comes after 1"])
    assert.deepStrictEqual(found(2), ["frame 2 of a comes after 0"])
    assert.deepStrictEqual(found(1, 2, 1), ["frame 1 of a comes after 2"])
  })

  it("finds text that was shown and is not what was said, or came too late", () => {
    const block: Told = ["MessageBlock", { blockId: "b", content: [{ type: "text", text: "hello there" }] }]
    const shown = (offset: number, text: string, after: number) =>
      [
        ...deltas(
          evidence([block], {
            transcripts: [{ sessionId: "s", after: 0, seen: [], deltas: [{ blockId: "b", offset, text, after }] }]
          })
        )
      ].length
    assert.strictEqual(shown(6, "there", 0), 0)
    assert.strictEqual(shown(5, "there", 0), 1)
    assert.strictEqual(shown(6, "there", 1), 1)
  })
})
