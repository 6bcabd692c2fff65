import { Schema } from "effect"
import { EventId, OutcomeId, ThreadId } from "../../Ids.ts"
import { Json, JsonObject } from "../../Json.ts"

const name = { name: Schema.String }
const details = { details: JsonObject }

/**
 * Facts whose behaviour comes with later parts. Their shapes are settled, since changing them later would change
 * history; runners may already report them, and every fold passes them by.
 */
export const reserved = {
  OutcomeDefined: {
    inputId: EventId,
    outcomeId: OutcomeId,
    description: Schema.String,
    rubric: Json,
    maxIterations: Schema.Int
  },
  OutcomeEvaluated: {
    outcomeId: OutcomeId,
    iteration: Schema.Int,
    result: Schema.String,
    explanation: Schema.String,
    ...details
  },
  GoalSet: { goalId: Schema.String, description: Schema.String, ...details },
  GoalProgressed: { goalId: Schema.String, ...details },
  GoalEnded: { goalId: Schema.String, result: Schema.String, ...details },
  NativeSessionBound: { harness: Schema.String, nativeId: Schema.String, ...details },
  PlanUpdated: { threadId: ThreadId, items: Schema.Array(JsonObject) },
  ChangeSetCaptured: { changeSetId: Schema.String, ...details },
  ChangeSetCommented: { changeSetId: Schema.String, ...details },
  ChangeSetAccepted: { changeSetId: Schema.String, ...details },
  ChangeSetMerged: { changeSetId: Schema.String, ...details },
  ChangeSetPublished: { changeSetId: Schema.String, ...details },
  ChangeSetCleaned: { changeSetId: Schema.String, ...details },
  RepositoryCloned: { url: Schema.String, ...details },
  RepositoryFailed: { url: Schema.String, code: Schema.String, ...details },
  /** Secrets are known by name alone. */
  SecretUsed: { ...name, ...details },
  SecretRefreshed: { ...name },
  SecretFailed: { ...name, code: Schema.String },
  MemoryVersionWritten: { storeId: Schema.String, memoryId: Schema.String, versionId: Schema.String, ...details },
  SkillLoaded: { ...name, version: Schema.String },
  TerminalOpened: { terminalId: Schema.String, ...details },
  TerminalClosed: { terminalId: Schema.String, ...details },
  HumanExecuted: { command: Schema.String, exitCode: Schema.NullOr(Schema.Int), ...details },
  DeliveryLinked: { integration: Schema.String, delivery: Schema.String, ...details },
  PlatformNoted: { code: Schema.String, message: Schema.String, ...details }
} as const
