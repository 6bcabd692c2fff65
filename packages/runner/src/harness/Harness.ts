import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { JsonObject } from "@troupe/domain/Json"
import type { BlobRef } from "@troupe/domain/session/Content"
import type { Message, SystemMessage } from "@troupe/domain/session/SessionState"
import type { ErrorInfo } from "@troupe/domain/session/Status"
import type { Effect } from "effect"
import type { AttemptFrames, JournalFull } from "../attempt/AttemptFrames.ts"
import type { HarnessCapability } from "./capabilities.ts"
import type { Spending } from "./Spending.ts"
import type { ToolCalls } from "../tools/ToolCalls.ts"

/** How an attempt ends, as its last frame says it. */
export type HarnessEnd =
  | {
      readonly _tag: "Completed"
      readonly stop: "end_turn" | "max_steps" | "refusal"
      readonly details: JsonObject | null
    }
  | { readonly _tag: "Suspended"; readonly reason: "requires_action" | "budget" | "paused" }
  | {
      readonly _tag: "Failed"
      readonly error: ErrorInfo
      readonly retryable: boolean
      readonly retryAfterMs: number | null
    }

/** A message that joins a running turn, with what the model is told of the system behind it. */
export interface Steer extends Message {
  readonly behind?: ReadonlyArray<SystemMessage>
}

/** What people sent to a running attempt, to be asked for between steps. */
export interface Inbox {
  /** Steers not taken yet, in order. What is taken is confirmed by a `SteerTaken` frame that this emits. */
  readonly takeSteers: Effect.Effect<ReadonlyArray<Steer>, JournalFull>
  /** Why the attempt is to stop after its current step, if it is. */
  readonly stop: Effect.Effect<"paused" | "budget" | null>
  /** Resolves when a stop is asked for. */
  readonly stopped: Effect.Effect<"paused" | "budget">
}

export interface HarnessRun {
  readonly request: Omit<RunRequest, "secrets">
  readonly frames: AttemptFrames
  readonly inbox: Inbox
  /** Counts what the frames of the attempt say was used. */
  readonly spending: Spending
  readonly tools: ToolCalls
  /** Content of the conversation that is too large for the log; null where it can't be had. */
  readonly blob: (ref: BlobRef) => Effect.Effect<Uint8Array | null>
  /** The newest value of a secret that came with the run, or was refreshed since. Never journaled. */
  readonly secret: (name: string) => Effect.Effect<string | null>
}

export interface HarnessProbe {
  readonly version: string
  readonly usable: boolean
  readonly notes: ReadonlyArray<string>
}

/**
 * What drives a turn: reads the history, asks a model or follows a script, calls tools, and says what it does in frames.
 * Interrupting `run` is how an attempt is interrupted: it closes what it opened in its finalizers, text that was begun as
 * a partial block, and is done within a second.
 */
export interface Harness {
  readonly name: string
  readonly capabilities: ReadonlyArray<HarnessCapability>
  readonly probe: Effect.Effect<HarnessProbe>
  readonly run: (run: HarnessRun) => Effect.Effect<HarnessEnd, JournalFull>
}
