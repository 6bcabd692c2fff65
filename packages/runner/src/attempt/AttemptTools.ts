import type { Ask, Answer } from "@troupe/domain/runner/Asks"
import { Context, type Effect, Schema, type Scope } from "effect"
import type { HarnessEnd, HarnessRun } from "../harness/Harness.ts"
import type { Scrubber } from "../secrets/Scrubber.ts"
import type { ToolCalls } from "../tools/ToolCalls.ts"
import type { askPeople } from "./askPeople.ts"
import type { JournalFull } from "./AttemptFrames.ts"

/** What the tools of an attempt have to work with. */
export interface AttemptContext extends Omit<HarnessRun, "tools"> {
  /** Asks the node: for a platform tool's result, or for a newer value of a secret. Waits for as long as it takes. */
  readonly ask: (body: Ask["body"]) => Effect.Effect<Answer>
  /** Asks for a newer value of a secret than the one that did not work; null where there is none. */
  readonly refreshSecret: (name: string) => Effect.Effect<string | null>
  /** Asks people while a call runs: what they answer in time, or none. */
  readonly askPeople: ReturnType<typeof askPeople>
  /** Whether calls of this `grantKey` are allowed for the whole session: at the start, or since. */
  readonly isGranted: (key: string) => boolean
  /** Knows the attempt's secrets. Frames and deltas are scrubbed already; this is for what goes elsewhere, as blobs do. */
  readonly scrubber: Scrubber
}

export interface AttemptTools {
  readonly calls: ToolCalls
  /** After the harness has ended and before the attempt says how: the place for a checkpoint of the working copy. */
  readonly atEnd: (end: HarnessEnd) => Effect.Effect<void, JournalFull>
}

/** The session's place can't be made as its environment says: the attempt ends with this before it begins. */
export class AttemptHindered extends Schema.TaggedError<AttemptHindered>()("AttemptHindered", {
  code: Schema.String,
  detail: Schema.String,
  retryable: Schema.Boolean
}) {
  override get message() {
    return this.detail
  }
}

/** Makes the tools of an attempt. When its scope closes, whatever they started is dead. */
export class AttemptToolsFactory extends Context.Service<
  AttemptToolsFactory,
  { readonly open: (context: AttemptContext) => Effect.Effect<AttemptTools, AttemptHindered, Scope.Scope> }
>()("runner/AttemptToolsFactory") {}
