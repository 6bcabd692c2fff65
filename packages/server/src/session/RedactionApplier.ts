import type { SessionId } from "@troupe/domain/Ids"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Context, type Effect } from "effect"
import type { Accepted } from "./planBatch.ts"
import type { SessionError } from "./SessionErrors.ts"

/** Takes the content out of events whose redaction is in the log, and reports back once it is gone. */
export class RedactionApplier extends Context.Service<
  RedactionApplier,
  {
    readonly apply: (
      sessionId: SessionId,
      seqs: ReadonlyArray<number>,
      report: (body: SessionCommand) => Effect.Effect<Accepted, SessionError>
    ) => Effect.Effect<void>
  }
>()("server/RedactionApplier") {}
