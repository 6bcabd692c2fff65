import { assert, describe, it } from "vitest"
import type { LogEvent } from "@troupe/client"
import { outcomeOf, whoOf } from "../../src/inbox/answered.logic.ts"
import {
  chosenOf,
  linkToAsk,
  merged,
  neighbour,
  nextAfter,
  placeIn,
  type Waiting
} from "../../src/inbox/inbox.logic.ts"
import { allowance, allowedWith, denial, readArguments, textOf } from "../../src/session/approval.logic.ts"

const waits = (type: Waiting["type"], id: string, minute: number) =>
  ({ type, id, asked_at: `2026-11-21T10:0${minute}:00.000Z` }) as Waiting
const list = merged(
  [waits("approval", "b", 2), waits("approval", "a", 4)] as never,
  [waits("question", "c", 3)] as never
)

describe("the inbox", () => {
  it("has what waits longest first, whatever it is", () => {
    assert.deepStrictEqual(
      list.map(({ id }) => id),
      ["b", "c", "a"]
    )
  })

  it("gives the keys to what was gone to, and to nothing else once that is answered", () => {
    assert.strictEqual(chosenOf(list, "c"), "c")
    assert.isNull(chosenOf(list, "answered"))
    assert.strictEqual(chosenOf(list, null), "b")
    assert.isNull(chosenOf([], null))
  })

  it("goes on behind what one has answered oneself", () => {
    assert.strictEqual(nextAfter(list, "b")?.id, "c")
    assert.strictEqual(nextAfter(list, "a")?.id, "c")
    assert.isNull(nextAfter(list.slice(0, 1), "b"))
  })

  it("has an address for each call, with its session and its place there", () => {
    const ask = { id: "sevt_1", session_id: "sesn_1", seq: 12 } as never
    assert.strictEqual(linkToAsk("wrkspc_1", ask), "/w/wrkspc_1/inbox?call=sevt_1&session=sesn_1&at=12")
    assert.deepStrictEqual(["12", "0", "-1", "x", undefined].map(placeIn), [12, 1, 1, 1, 1])
  })

  it("goes no further than its ends", () => {
    assert.strictEqual(neighbour(list, "b", 1)?.id, "c")
    assert.strictEqual(neighbour(list, "a", 1)?.id, "a")
    assert.strictEqual(neighbour(list, "b", -1)?.id, "b")
    assert.strictEqual(neighbour(list, "answered", -1)?.id, "b")
    assert.isNull(neighbour([], null, 1))
  })
})

describe("a call that waits no more", () => {
  const by = { type: "api_key", id: "token_1" } as const
  const event = (type: string, payload: object | null) =>
    ({ type, payload, actor: by, recorded_at: "2026-11-21T10:00:00.000000Z" }) as unknown as LogEvent
  const asked = event("ToolRequested", { callId: "a", turnId: "turn_1" })
  const confirmed = (decision: object) => event("ToolConfirmed", { callId: "a", decision })
  const at = Date.parse("2026-11-21T10:00:00Z")

  it("says who answered it, and how", async () => {
    for (const [decision, how] of [
      [{ type: "allow_once" }, "It was allowed, once"],
      [{ type: "allow_session" }, "It was allowed for the session"],
      [{ type: "allow_edited", input: {} }, "It was allowed, with other arguments"],
      [{ type: "deny", message: null }, "It was denied"],
      [{ type: "deny", message: "not today" }, "It was denied: not today"]
    ] as const) {
      assert.deepStrictEqual(await outcomeOf("a", [asked, confirmed(decision)]), { how, by, at })
    }
    const answered = event("QuestionAnswered", { callId: "a", answer: { n: 1 } })
    assert.deepStrictEqual(await outcomeOf("a", [asked, answered]), { how: 'It was answered: {"n":1}', by, at })
  })

  it("says too that nobody did", async () => {
    for (const [ended, how] of [
      [confirmed({ type: "expired" }), "Nobody answered in time"],
      [event("ToolFinished", { callId: "a" }), "It ended before anybody answered"],
      [event("TurnInterrupted", { turnId: "turn_1" }), "Its turn ended before anybody answered"]
    ] as const) {
      assert.deepStrictEqual(await outcomeOf("a", [asked, ended]), { how, by: null, at })
    }
  })

  it("is told apart from one that waits still", async () => {
    const others = [event("ToolFinished", { callId: "b" }), event("TurnInterrupted", { turnId: "turn_2" })]
    assert.isNull(await outcomeOf("a", [asked, ...others, event("ToolConfirmed", null)]))
    assert.isNull(await outcomeOf("a", []))
  })

  it("names people by what is known of them", () => {
    assert.strictEqual(whoOf(by, new Map([["token_1", "ops"]])), "the key “ops”")
    assert.strictEqual(whoOf(by, new Map()), "the key token_1")
    assert.strictEqual(whoOf({ type: "end_user", subject: "ann", tokenId: "t" }, new Map()), "ann")
    assert.strictEqual(whoOf({ type: "system" }, new Map()), "the system")
    assert.strictEqual(whoOf({ type: "runner", id: "rnr_1" as never }, new Map()), "runner rnr_1")
  })
})

describe("an answer to an approval", () => {
  it("allows only what was seen, where that is known", () => {
    assert.deepStrictEqual(allowance("session", "d1g"), {
      result: "allow",
      scope: "session",
      input_digest: "d1g" as never
    })
    assert.deepStrictEqual(allowedWith({ command: "ls" }), { result: "allow", input: { command: "ls" } })
  })

  it("denies with words, or without", () => {
    assert.deepStrictEqual(denial("  not on a Friday "), { result: "deny", message: "not on a Friday" })
    assert.deepStrictEqual(denial("  "), { result: "deny", message: null })
  })

  it("takes edited arguments that are a JSON object, and says of others why not", () => {
    const input = { command: "ls", timeout: 3 }
    assert.deepStrictEqual(readArguments(textOf(input)), { _tag: "Read", input })
    assert.strictEqual(readArguments("[1]")._tag, "Wrong")
    assert.strictEqual(readArguments("{")._tag, "Wrong")
    assert.strictEqual(readArguments("null")._tag, "Wrong")
  })
})
