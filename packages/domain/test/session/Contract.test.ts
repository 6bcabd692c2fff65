import { assert, describe, it } from "@effect/vitest"
import { contractErrorOf, contractErrors, contractStopOf } from "../../src/session/Contract.ts"
import type { StopReason } from "../../src/session/Status.ts"
import { callId } from "./ids.ts"

describe("An error in the contract's words", () => {
  it("has a word for every code that a model request can fail with", () => {
    const told = {
      model_overloaded: "model_overloaded_error",
      model_rate_limited: "model_rate_limited_error",
      model_request_failed: "model_request_failed_error",
      model_timeout: "model_request_failed_error",
      model_access_denied: "model_request_failed_error",
      model_unknown: "model_request_failed_error",
      model_request_refused: "model_request_failed_error",
      model_card_invalid: "model_request_failed_error",
      context_too_long: "model_request_failed_error",
      history_too_large: "compaction_limit_reached_error",
      mcp_server_failed: "mcp_connection_failed_error",
      repository_clone: "repository_clone_error"
    }
    for (const [code, type] of Object.entries(told)) assert.strictEqual(contractErrorOf({ code }), type, code)
  })

  it("is the contract's own where a code is one of its words, and unknown where there is none", () => {
    for (const type of contractErrors) assert.strictEqual(contractErrorOf({ code: type }), type)
    for (const code of ["runner_lost", "harness_crashed", "", "toString", "constructor"]) {
      assert.strictEqual(contractErrorOf({ code }), "unknown_error")
    }
  })
})

describe("A stop reason in the contract's words", () => {
  const plain = (type: string) => ({ stop_reason: { type }, stop_details: null, troupe: null })

  it("is the same word where there is one", () => {
    for (const type of ["end_turn", "retries_exhausted", "budget_reached"] as const) {
      assert.deepStrictEqual(contractStopOf({ type }), plain(type) as never)
    }
  })

  it("names what it waits for", () => {
    const eventIds = [callId(1), callId(2)]
    assert.deepStrictEqual(contractStopOf({ type: "requires_action", eventIds }).stop_reason, {
      type: "requires_action",
      event_ids: eventIds
    })
  })

  it("is the nearest word, with ours beside it, where there is none", () => {
    for (const type of ["paused", "max_steps"] as const) {
      assert.deepStrictEqual(contractStopOf({ type }), { ...plain("end_turn"), troupe: { stop_reason: type } } as never)
    }
  })

  it("tells of a refusal what is known of it", () => {
    const stop: StopReason = { type: "refusal", details: { category: "bio" } }
    assert.deepStrictEqual(contractStopOf(stop).stop_details, { type: "refusal", category: "bio", explanation: null })
    assert.deepStrictEqual(contractStopOf({ type: "refusal", details: null }).stop_details, {
      type: "refusal",
      category: null,
      explanation: null
    })
  })
})
