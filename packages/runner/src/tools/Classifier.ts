import type { Verdict } from "@troupe/domain/tools/Permission"
import { Effect } from "effect"
import type { JournalFull } from "../attempt/AttemptFrames.ts"
import type { ToolCallRequest } from "./ToolCalls.ts"

export type Judged = Pick<ToolCallRequest, "name" | "input">

/** What a model made of a call. `reason` is its own words: for people, and to be trusted as little as the call itself. */
export interface Judgement {
  readonly risk: "low" | "high" | "unclear"
  readonly reason: string | null
}

/** Has a model look at a call that a policy leaves to it; null where it could not say. */
export type Classifier = (call: Judged) => Effect.Effect<Judgement | null, JournalFull>

/**
 * The verdict once a model has looked at the call, where a policy leaves it to one. Only a clear word counts: without a
 * model, without an answer and in doubt, somebody is asked.
 */
export const classified = Effect.fnUntraced(function* (
  classifier: Classifier | null,
  verdict: Verdict,
  call: Judged
): Effect.fn.Return<Verdict, JournalFull> {
  if (verdict.auto !== true) return verdict
  const ask = (why: string, reason: string | null): Verdict => ({
    permission: "ask",
    rule: `${verdict.rule}.${why}`,
    reason
  })
  if (classifier === null) return ask("unconfigured", "no model is there to look at the call")
  const judgement = yield* classifier(call)
  if (judgement === null) return ask("indeterminate", "the model that looks at calls gave no answer")
  const { reason, risk } = judgement
  switch (risk) {
    case "low":
      return { permission: "allow", rule: `${verdict.rule}.low_risk`, reason }
    case "high":
      return { permission: "deny", rule: `${verdict.rule}.high_risk`, reason }
    case "unclear":
      return ask("indeterminate", reason)
  }
})
