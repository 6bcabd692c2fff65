import type { SessionId } from "@troupe/domain/Ids"
import type { SessionCodec } from "@troupe/domain/session/Codec"
import type { Sha256 } from "@troupe/domain/log/Chain"
import { type Command, CommandRejected, isFinal, Refusal } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { wakeAt } from "@troupe/domain/session/standing"
import * as Summary from "@troupe/domain/session/Summary"
import { type Clock, Deferred, Effect, Exit, Result, Schema } from "effect"
import type { AppendRefused, EventStore, Receipt } from "../log/EventStore.ts"
import type { LogFormatNow } from "../log/LogFormat.ts"
import type { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import type { CrashPoint } from "./CrashPoints.ts"
import type { Ownership } from "./Ownership.ts"
import { joined, planBatch, type Accepted, type Plan, type Planned } from "./planBatch.ts"
import {
  CommandIdReused,
  CommandUnstorable,
  ReceiptUnreadable,
  SessionMoved,
  SessionUnavailable,
  type SessionError
} from "./SessionErrors.ts"
import type { TurnSpans } from "./TurnSpans.ts"
import { unstorableText } from "./unstorableText.ts"

/** A command that waits for its committed outcome. */
export interface Waiting extends Planned {
  readonly answer: Deferred.Deferred<Accepted, SessionError>
  /** The span of whoever sent it; null where nobody gets spans. */
  readonly traceparent: string | null
  /** How often the session had been lost to somebody else when the command came. */
  readonly losses: number
}

export interface BatchWriterOptions {
  readonly store: EventStore["Service"]
  readonly minting: Minting["Service"]
  readonly codec: SessionCodec
  readonly logFormat: LogFormatNow
  readonly clock: Clock.Clock
  readonly sessionId: SessionId
  readonly shard: number
  readonly sha256: Sha256
  readonly ownership: Ownership
  readonly spans: TurnSpans | null
  readonly reach: (point: CrashPoint) => void
  /** Commands of our own that a plan makes due: they are decided behind it, and committed along with it. */
  readonly follow: (
    standing: Plan["standing"],
    from: Activation,
    facts: ReadonlyArray<SessionEvent>
  ) => ReadonlyArray<Command>
  /** Called with what is committed, before anyone is answered. */
  readonly committed: (plan: Plan, activation: Activation) => void
}

/** Appends that fail for reasons that pass are tried this often, each time under a new epoch. */
const triesMax = 4
export const retryAfterMs = 500

const decodeRefusal = Schema.decodeUnknownResult(Schema.fromJsonString(Refusal))

const answerTo = (one: Waiting, exit: Exit.Exit<Accepted, SessionError>) => Deferred.doneUnsafe(one.answer, exit)

const isOurs = (one: Waiting) => one.digest === null

/** What was taken out of the log is still in what was folded before. */
const endsRedaction = ({ command }: Waiting) => command.body._tag === "ConfirmRedaction"

const failAll = (batch: ReadonlyArray<Waiting>, error: SessionError) => {
  for (const one of batch) answerTo(one, Exit.fail(error))
}

/** What was answered the first time. */
const again = ({ command, digest }: Waiting, receipt: Receipt): Exit.Exit<Accepted, SessionError> => {
  if (receipt.digest !== digest) return Exit.fail(new CommandIdReused({ commandId: receipt.commandId }))
  if (receipt._tag === "Accepted") return Exit.succeed({ _tag: "Accepted", seq: receipt.seq, version: receipt.seq })
  const reason = decodeRefusal(receipt.reason)
  if (Result.isSuccess(reason)) {
    return Exit.fail(new CommandRejected({ command: command.body._tag, reason: reason.success }))
  }
  const detail = reason.failure.message.split("\n", 3).join("; ").slice(0, 500)
  return Exit.fail(new ReceiptUnreadable({ commandId: receipt.commandId, detail }))
}

/** Why a command alone can't be stored. */
const unstorable = (
  { command: { body, commandId } }: Waiting,
  reason: Extract<AppendRefused["reason"], { readonly _tag: "BadData" | "ExternalKeyTaken" }>
): SessionError => {
  if (reason._tag === "BadData") {
    const field = unstorableText(body)
    return new CommandUnstorable({ commandId, detail: reason.detail, ...(field === null ? {} : { field }) })
  }
  const id = (body._tag === "Open" ? body.externalThreadKey : null) ?? commandId
  return new CommandRejected({ command: body._tag, reason: { _tag: "IdTaken", id } })
}

/** Refused without a trace. That must not hide that the command was accepted before, so its receipt is asked for. */
const doubtful = (batch: ReadonlyArray<Waiting>, plan: Plan) =>
  batch.filter((one, index) => {
    const outcome = plan.outcomes[index]!
    if (one.digest === null || outcome._tag === "Accepted") return false
    const { error } = outcome
    return (
      error._tag === "CommandBroken" ||
      error._tag === "EventNotReadableYet" ||
      (error._tag === "CommandRejected" && !isFinal(error.reason))
    )
  })

/** Decides a batch of commands, appends what they lead to in one statement, and only then answers. Each is answered once. */
export class BatchWriter {
  private readonly options: BatchWriterOptions

  constructor(options: BatchWriterOptions) {
    this.options = options
  }

  /** Takes a batch to its end. */
  write(all: ReadonlyArray<Waiting>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { ownership } = this.options
      let batch = all
      const takenInputs = new Set<string>()
      for (let tries = 0; tries < triesMax && batch.length > 0; tries++) {
        const result = yield* Effect.result(this.attempt(batch, takenInputs))
        if (result._tag === "Success") {
          batch = result.success
          continue
        }
        const error = result.failure
        if (error._tag === "AppendRefused") {
          batch = yield* this.refused(batch, error, takenInputs)
        } else if (error._tag === "StoreUnavailable") {
          // The write may have happened: the next epoch ends all doubt, and receipts tell what it holds.
          ownership.doubt()
          // Work of our own has no receipts, and would be done twice: it is derived again from what the log then says.
          if (batch.some(isOurs)) failAll(batch.filter(isOurs), this.unavailable())
          const clients = batch.filter((one) => !isOurs(one))
          if (clients.length > 0 && tries + 1 < triesMax) yield* Effect.sleep(50 * 2 ** tries)
          batch = yield* this.tryAnswerKnown(clients, clients)
        } else return failAll(batch, error)
      }
      // An error takes its stack along, which costs 5 µs: it is made for those who get it.
      if (batch.length > 0) failAll(batch, this.unavailable())
    })
  }

  private unavailable(): SessionUnavailable {
    return new SessionUnavailable({ sessionId: this.options.sessionId, retryAfterMs })
  }

  /** One try: answers those whose answers are known, or writes and answers all. Returns those that are still to be done. */
  private attempt(all: ReadonlyArray<Waiting>, takenInputs: ReadonlySet<string>) {
    const {
      clock,
      codec,
      committed,
      follow,
      logFormat,
      minting,
      ownership,
      reach,
      sessionId,
      sha256,
      shard,
      spans,
      store
    } = this.options
    return Effect.gen({ self: this }, function* () {
      // Decided on the log as it is now, so that what is written for lists has none of what was taken out.
      if (all.some(endsRedaction)) ownership.refold()
      let from = ownership.active ?? (yield* ownership.ensure(!all.every(isOurs)))
      const stale = (one: Waiting) => isOurs(one) && one.losses < ownership.losses
      let batch = all
      if (all.some(stale)) {
        failAll(all.filter(stale), new SessionMoved({ sessionId }))
        batch = all.filter((one) => !stale(one))
      }
      const nowMicros = clock.currentTimeMillisUnsafe() * 1_000
      const decide = () => {
        const format = logFormat.current()
        const context = { sessionId, epoch: from.epoch, nowMicros, sha256, minting, codec, format, takenInputs }
        const plan = planBatch(from, batch, context)
        if (plan.facts.length === 0) return plan
        const behind = follow(plan.standing, from, plan.facts)
        if (behind.length === 0) return plan
        const next = behind.map((command) => ({ command, digest: null }))
        return joined(plan, planBatch(plan.standing, next, context))
      }
      let plan = decide()
      const ask = from.epoch === 0 ? [] : doubtful(batch, plan)
      if (ask.length > 0) {
        batch = yield* this.answerKnown(batch, ask)
        plan = decide()
      }
      const { state } = plan.standing
      if (from.epoch === 0 && state._tag === "Open") {
        const head = yield* store.create({
          stream: "session",
          streamId: sessionId,
          workspaceId: state.workspaceId,
          shard
        })
        // Somebody opened it in between: start from what is there.
        if (head.version > 0) {
          ownership.refold()
          return batch
        }
        from = ownership.become({ ...from, epoch: head.epoch })
        plan = decide()
      }
      const next = yield* this.append(from, plan, nowMicros)
      for (const [index, { command, traceparent }] of batch.entries()) {
        if (traceparent === null || plan.outcomes[index]!._tag !== "Accepted") continue
        spans?.note(command, traceparent, next.state)
      }
      committed(plan, next)
      for (const [index, one] of batch.entries()) {
        const outcome = plan.outcomes[index]!
        answerTo(one, outcome._tag === "Accepted" ? Exit.succeed(outcome) : Exit.fail(outcome.error))
      }
      reach("append.answered")
      return []
    })
  }

  private append(from: Activation, plan: Plan, nowMicros: number) {
    const { reach, sessionId, store } = this.options
    const { state } = plan.standing
    if (state._tag === "NotOpened" || (plan.events.length === 0 && plan.rejections.length === 0)) {
      return Effect.succeed(from)
    }
    const row = Summary.summarize(state, Math.floor(nowMicros / 1_000))
    const changed = from.summary === null || !Summary.equals(from.summary, row)
    reach("command.planned")
    const appended = store.append({
      stream: "session",
      streamId: sessionId,
      workspaceId: state.workspaceId,
      epoch: from.epoch,
      expectedVersion: from.version,
      events: plan.events,
      rejections: plan.rejections,
      inputIds: plan.inputIds,
      wakeAt: wakeAt(state),
      summary: changed ? row : null
    })
    return Effect.as(
      // Sent and not yet answered: the process may end in between.
      Effect.andThen(
        Effect.sync(() => reach("append.sent")),
        appended
      ),
      { ...from, ...plan.standing, summary: changed ? row : from.summary }
    )
  }

  private refused(batch: ReadonlyArray<Waiting>, { reason }: AppendRefused, takenInputs: Set<string>) {
    const { ownership, sessionId } = this.options
    return Effect.gen({ self: this }, function* () {
      switch (reason._tag) {
        case "InputTaken":
          // Decided again with this known, whoever sent them is refused, and the rest goes on.
          for (const inputId of reason.inputIds) takenInputs.add(inputId)
          return batch
        case "Fenced":
          ownership.lose()
          failAll(batch, new SessionMoved({ sessionId }))
          return []
        case "Duplicate": {
          const named = new Set(reason.commandIds)
          return yield* this.tryAnswerKnown(
            batch,
            batch.filter((one) => named.has(one.command.commandId))
          )
        }
        case "BadData":
        case "ExternalKeyTaken": {
          const [first, ...others] = batch
          // One of them is bad: alone, it fails alone.
          if (others.length > 0) for (const one of batch) yield* this.write([one])
          else if (first !== undefined) answerTo(first, Exit.fail(unstorable(first, reason)))
          return []
        }
        case "VersionConflict":
          ownership.doubt()
          return batch
        case "NoStream":
          ownership.refold()
          return batch
      }
    })
  }

  /** Answers the commands that were answered before as they were then; returns the rest. */
  private answerKnown(batch: ReadonlyArray<Waiting>, ask: ReadonlyArray<Waiting>) {
    if (ask.length === 0) return Effect.succeed(batch)
    const { sessionId, store } = this.options
    const commandIds = new Set(ask.map((one) => one.command.commandId))
    return Effect.map(store.receipts(sessionId, [...commandIds]), (receipts) => {
      const known = new Map<string, Receipt>(receipts.map((receipt) => [receipt.commandId, receipt]))
      return batch.filter((one) => {
        const receipt = one.digest === null ? undefined : known.get(one.command.commandId)
        if (receipt !== undefined) answerTo(one, again(one, receipt))
        return receipt === undefined
      })
    })
  }

  /** The same where the store may not answer: what it did not say is asked again. */
  private tryAnswerKnown(batch: ReadonlyArray<Waiting>, ask: ReadonlyArray<Waiting>) {
    return Effect.catch(this.answerKnown(batch, ask), () => Effect.succeed(batch))
  }
}
