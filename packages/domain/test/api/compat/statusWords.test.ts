import { assert, describe, it } from "@effect/vitest"
import { toCompat } from "../../../src/api/compat/toCompat.ts"
import { nth, threadId, turnId } from "../../session/ids.ts"

const told = (event: object) =>
  toCompat(
    { eventId: nth("Event", 1), recordedAt: 0, event: event as never },
    { primary: threadId(), agentName: "helper" }
  ) as ReadonlyArray<object>

const failed = (code: string) => {
  const error = { code, message: "It went wrong." }
  const [event] = told({ _tag: "TurnFailed", threadId: threadId(), turnId: turnId(1), error, retryStatus: "exhausted" })
  return event
}

describe("What a client reads", () => {
  it("of an error is the contract's word, with ours beside it where that says less", () => {
    const shared = { message: "It went wrong.", retry_status: { type: "exhausted" } }
    assert.deepInclude(failed("model_overloaded"), { error: { type: "model_overloaded_error", ...shared } } as never)
    assert.deepInclude(failed("model_timeout"), {
      error: { type: "model_request_failed_error", ...shared, troupe: { code: "model_timeout" } }
    } as never)
    assert.deepInclude(failed("runner_lost"), {
      error: { type: "unknown_error", ...shared, troupe: { code: "runner_lost" } }
    } as never)
  })

  it("of a session at rest is why, in the contract's word", () => {
    const idle = (stop: object) => {
      const totals = {
        inputTokens: 0,
        outputTokens: 0,
        cacheReadTokens: 0,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0
      }
      const status = { session: { status: "idle", stop }, threads: [], budget: [], totals }
      return told({ _tag: "StatusChanged", ...status }).at(-1)
    }
    assert.deepInclude(idle({ type: "budget_reached" }), {
      stop_reason: { type: "budget_reached" },
      stop_details: null
    })
    assert.notProperty(idle({ type: "end_turn" }), "troupe")
    assert.deepInclude(idle({ type: "paused" }), {
      stop_reason: { type: "end_turn" },
      troupe: { stop_reason: "paused" }
    } as never)
  })
})
