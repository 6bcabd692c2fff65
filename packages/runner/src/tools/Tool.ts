import type { EventId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { type Content, text } from "@troupe/domain/session/Content"
import type { Call } from "@troupe/domain/session/SessionState"
import type { Question } from "@troupe/domain/session/Question"
import { type Effect, type Result, Schema, type Scope } from "effect"
import type { ToolSpec } from "./ToolCalls.ts"

/** What a tool has to say once it has run. */
export interface ToolOutput {
  readonly content: Content
  /** `failed` where what the model wanted did not come about; the content says why. */
  readonly outcome?: "succeeded" | "failed" | "timed_out"
  /** For programs and auditors, beside the content: an exit code, a place, a size. Nothing secret. */
  readonly details?: JsonObject
}

/** The tool could not do it. The message is for the model, and says what it can do about it. */
export class ToolFailure extends Schema.TaggedError<ToolFailure>()("ToolFailure", {
  message: Schema.String,
  details: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
}) {}

/** What a call asks a person, and how long it waits for the answer; null: for as long as it takes. */
export interface AskedQuestion {
  readonly question: Question
  readonly expiresInMs: number | null
}

/** What the gateway runs. Its scope closes when the call is over, however that came about: then nothing of it is left. */
export interface Tool {
  readonly spec: ToolSpec
  readonly executor: Call["executor"]
  /** The tool's own policy, as the agent has it. */
  readonly policy: unknown
  /** Where rules look: arguments that are paths, and those that are shell scripts. */
  readonly paths: ReadonlyArray<string>
  readonly scripts: ReadonlyArray<string>
  /** The end of a call that does not end by itself. */
  readonly timeoutMs: (input: JsonObject) => number
  /** What the call changes. Two calls that change the same wait for each other. */
  readonly changes: (input: JsonObject) => string | null
  /** Of a tool that asks a person: the question, or what is wrong with it. Such a call is not run, it is answered. */
  readonly question?: (input: JsonObject) => Result.Result<AskedQuestion, string>
  /** Told which call it is, for what it asks of people meanwhile. */
  readonly run: (input: JsonObject, callId: EventId) => Effect.Effect<ToolOutput, ToolFailure, Scope.Scope>
}

export const say = (message: string, details?: JsonObject): ToolOutput =>
  details === undefined ? { content: text(message) } : { content: text(message), details }

/** The same tool where the customer's own workers run what would run in the sandbox. Rules look at it as ever. */
export const byWorker = (tool: Tool): Tool => ({
  ...tool,
  executor: "worker",
  timeoutMs: () => 0,
  changes: () => null,
  run: () => new ToolFailure({ message: "This tool is not run here." })
})

/** A tool that somebody outside of the runner sees to: a client, or a person. */
export const outside = (executor: "client" | "platform", spec: ToolSpec, policy: unknown): Tool => ({
  spec,
  executor,
  policy,
  paths: [],
  scripts: [],
  timeoutMs: () => 0,
  changes: () => null,
  run: () => new ToolFailure({ message: "This tool is not run here." })
})
