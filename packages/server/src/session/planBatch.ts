import type { CommandId, EventId } from "@troupe/domain/Ids"
import type * as Chain from "@troupe/domain/log/Chain"
import type { SessionCodec } from "@troupe/domain/session/Codec"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { plan } from "@troupe/domain/session/decide"
import * as LogRules from "@troupe/domain/session/logRules"
import { CommandRejected, isFinal, type Command } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Result } from "effect"
import type { NewEvent, Rejection } from "../log/EventStore.ts"
import type { Minting } from "../log/Minting.ts"
import { record } from "../log/Recorder.ts"
import { CommandBroken, CommandIdReused, EventNotReadableYet } from "./SessionErrors.ts"
import { writable, type Writable } from "./writable.ts"

/** A command on its way through the actor. Only clients' commands leave receipts, so only they have a digest. */
export interface Planned {
  readonly command: Command
  readonly digest: string | null
}

/** Where a session's log stands, and what it folds to. */
export interface Standing {
  readonly state: SessionState
  readonly version: number
  readonly chain: string
  readonly lastRecordedAt: number
}

/** An event as a command wrote it. */
export interface Written {
  readonly eventId: EventId
  /** Microseconds since 1970. */
  readonly recordedAt: number
  readonly event: SessionEvent
}

export interface Accepted {
  readonly _tag: "Accepted"
  /** `seq` of the command's first event; the version it was decided at where it changed nothing. */
  readonly seq: number
  readonly version: number
  /** What it wrote, where it was decided in this process and just now. Others find it in the log. */
  readonly written?: ReadonlyArray<Written>
}

export type Outcome =
  | Accepted
  | {
      readonly _tag: "Refused"
      readonly error: CommandRejected | CommandIdReused | CommandBroken | EventNotReadableYet
    }

export interface Plan {
  readonly events: ReadonlyArray<NewEvent>
  /** What they say, each. */
  readonly facts: ReadonlyArray<SessionEvent>
  readonly rejections: ReadonlyArray<Rejection>
  /** Of the inputs that the events take. */
  readonly inputIds: ReadonlyArray<EventId>
  /** One for each command, in their order: true once the writes are committed. */
  readonly outcomes: ReadonlyArray<Outcome>
  readonly standing: Standing
}

/** A plan, and one that begins where it ends, as one. Whoever sent the second is not answered. */
export const joined = (first: Plan, second: Plan): Plan => ({
  events: [...first.events, ...second.events],
  facts: [...first.facts, ...second.facts],
  rejections: first.rejections,
  inputIds: first.inputIds,
  outcomes: first.outcomes,
  standing: second.standing
})

interface Context {
  readonly sessionId: string
  readonly epoch: number
  readonly nowMicros: number
  readonly sha256: Chain.Sha256
  readonly minting: Minting["Service"]
  readonly codec: SessionCodec
  /** Of logs, which every node of the installation reads. */
  readonly format: number
  /** Inputs of which the store has said that they were taken before. */
  readonly takenInputs: ReadonlySet<string>
}

const decideSafely = (
  state: SessionState,
  command: Command,
  log: LogRules.KnownLog,
  context: Pick<Context, "codec" | "format" | "sessionId">
): Result.Result<Writable, CommandRejected | CommandBroken | EventNotReadableYet> => {
  try {
    const decided = plan(state, command)
    if (Result.isFailure(decided)) return Result.fail(decided.failure)
    const reason = LogRules.refusedByLog(command.body, log)
    if (reason !== undefined) return Result.fail(new CommandRejected({ command: command.body._tag, reason }))
    const written = writable(context, state, decided.success)
    if ("facts" in written) return Result.succeed(written)
    return Result.fail(new EventNotReadableYet({ sessionId: context.sessionId, type: written.type }))
  } catch (defect) {
    const detail = defect instanceof Error ? defect.message : String(defect)
    return Result.fail(new CommandBroken({ commandId: command.commandId, detail }))
  }
}

/** Decides commands one after the other, each on the state that the one before it leaves. Writes nothing. */
export const planBatch = (from: Standing, commands: ReadonlyArray<Planned>, context: Context): Plan => {
  const events: Array<NewEvent> = []
  const allFacts: Array<SessionEvent> = []
  const rejections: Array<Rejection> = []
  const outcomes: Array<Outcome> = []
  const first = new Map<CommandId, { readonly digest: string; readonly outcome: Outcome }>()
  const inputIds: Array<EventId> = []
  // Those of this batch among them: the store is asked about all of it at once.
  const taken = new Set<string>(context.takenInputs)
  let { chain, lastRecordedAt, state, version } = from

  for (const { command, digest } of commands) {
    const repeated = digest === null ? undefined : first.get(command.commandId)
    if (repeated !== undefined) {
      const reused = new CommandIdReused({ commandId: command.commandId })
      outcomes.push(repeated.digest === digest ? repeated.outcome : { _tag: "Refused", error: reused })
      continue
    }
    const decided = decideSafely(state, command, { version, hasInput: (inputId) => taken.has(inputId) }, context)
    let outcome: Outcome
    if (Result.isFailure(decided)) {
      const error = decided.failure
      outcome = { _tag: "Refused", error }
      if (digest !== null && error instanceof CommandRejected && isFinal(error.reason) && state._tag === "Open") {
        rejections.push({
          commandId: command.commandId,
          digest,
          body: CommandBody.compact(command, []),
          reason: JSON.stringify(error.reason),
          recordedAt: context.nowMicros,
          version
        })
      }
    } else {
      const { encoded, facts, state: next } = decided.success
      const written: Array<Written> = []
      const seq = facts.length === 0 ? version : version + 1
      outcome = { _tag: "Accepted", seq, version: version + facts.length, written }
      if (facts.length > 0 && next._tag === "Open") {
        const pen = {
          ...context,
          stream: "session" as const,
          streamId: context.sessionId,
          workspaceId: next.workspaceId
        }
        const cause = {
          causationId: command.commandId,
          correlationId: command.correlationId,
          actorText: JSON.stringify(command.actor),
          at: command.at
        }
        const mark =
          digest === null ? null : { commandId: command.commandId, digest, body: CommandBody.compact(command, facts) }
        const recorded = record(pen, { version, chain, lastRecordedAt }, cause, encoded, mark)
        events.push(...recorded.events)
        allFacts.push(...facts)
        for (const [index, { eventId, recordedAt }] of recorded.events.entries()) {
          written.push({ eventId, recordedAt, event: facts[index]! })
        }
        ;({ chain, lastRecordedAt, version } = recorded.tail)
      }
      for (const inputId of LogRules.inputIds(command.body)) {
        taken.add(inputId)
        inputIds.push(inputId)
      }
      state = next
    }
    if (digest !== null) first.set(command.commandId, { digest, outcome })
    outcomes.push(outcome)
  }
  return {
    events,
    facts: allFacts,
    rejections,
    inputIds,
    outcomes,
    standing: { state, version, chain, lastRecordedAt }
  }
}
