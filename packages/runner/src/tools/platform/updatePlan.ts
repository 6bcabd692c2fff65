import type { ThreadId } from "@troupe/domain/Ids"
import { planStatuses, type PlanStep, progressOf } from "@troupe/domain/session/Plan"
import type { ToolConfig } from "@troupe/domain/tools/Toolset"
import { Effect, Schema } from "effect"
import type { AttemptFrames } from "../../attempt/AttemptFrames.ts"
import { objectSchema } from "../builtin/BuiltIn.ts"
import { say, type Tool } from "../Tool.ts"

const stepsMax = 50

const Input = Schema.Struct({
  plan: Schema.Array(Schema.Struct({ step: Schema.String, status: Schema.Literals(planStatuses) }))
})

const description = `Keeps the plan of what you do, for the people who follow your work.

- Make one for work of several steps, and none for what is done in one or two.
- Give the whole plan each time: it takes the place of the one before. An empty one takes it away.
- Say in_progress of what you are about to do, and completed of what is done, as you go. Change the plan when you find out more.`

const inputSchema = objectSchema(
  {
    plan: {
      type: "array",
      maxItems: stepsMax,
      items: objectSchema(
        {
          step: { type: "string", minLength: 1, maxLength: 500, description: "What is to be done, in one line." },
          status: { type: "string", enum: planStatuses }
        },
        ["step", "status"]
      )
    },
    explanation: { type: "string", maxLength: 2_000, description: "Why the plan changed, where that is not clear." }
  },
  ["plan"]
)

const decode = Schema.decodeUnknownSync(Input)

/** Puts the plan of a thread into the log. A full journal ends the attempt at its next word. */
export const planTold =
  (frames: Pick<AttemptFrames, "emit">, threadId: ThreadId) =>
  (steps: ReadonlyArray<PlanStep>): Effect.Effect<void> =>
    Effect.ignore(frames.emit({ _tag: "Noted", event: { _tag: "PlanUpdated", threadId, items: steps } }))

/** The agent's own plan. It changes nothing but what people are shown, so it waits for nobody and may be told again. */
export const updatePlan = (
  config: ToolConfig,
  planned: (steps: ReadonlyArray<PlanStep>) => Effect.Effect<void>
): Tool => ({
  spec: { name: "update_plan", server: null, description, inputSchema, readOnly: true, idempotent: true },
  executor: "function",
  policy: config.permission_policy,
  paths: [],
  scripts: [],
  timeoutMs: () => 10_000,
  changes: () => "the plan",
  run: Effect.fnUntraced(function* (input) {
    const { plan } = decode(input)
    yield* planned(plan)
    const { done, total } = progressOf(plan)
    return say(total === 0 ? "There is no plan now." : `People see it: ${done} of ${total} steps are done.`)
  })
})
