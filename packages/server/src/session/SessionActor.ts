import type { SessionId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import type { Sha256 } from "@troupe/domain/log/Chain"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { CommandRejected, isClientCommand, isFinal, Refusal, type Command } from "@troupe/domain/session/SessionCommand"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import * as Summary from "@troupe/domain/session/Summary"
import { Clock, Deferred, Effect, Exit, Option, Queue, Schema, type Scope } from "effect"
import { EventStore, type Append, type Receipt } from "../log/EventStore.ts"
import { Minting } from "../log/Minting.ts"
import { activate, type Activation } from "./activate.ts"
import { CrashPoints } from "./CrashPoints.ts"
import { Feeds } from "./Feeds.ts"
import { planBatch, type Accepted, type Plan, type Planned } from "./planBatch.ts"
import {
  CommandIdReused,
  CommandTooLarge,
  CommandUnstorable,
  Overloaded,
  SessionMoved,
  SessionUnavailable,
  type CommandBroken,
  type SessionUnreadable
} from "./SessionErrors.ts"

export type SessionError =
  | CommandRejected
  | CommandIdReused
  | CommandTooLarge
  | CommandUnstorable
  | CommandBroken
  | Overloaded
  | SessionMoved
  | SessionUnavailable
  | SessionUnreadable

interface Waiting extends Planned {
  readonly answer: Deferred.Deferred<Accepted, SessionError>
}

interface Look {
  /** Whether to ask the store if this activation still stands, before trusting it. */
  readonly check: boolean
  readonly answer: Deferred.Deferred<Activation, SessionError>
}

/** Mail is a command, or somebody who wants to see the session. */
type Mail = Waiting | Look

export interface SessionActorOptions {
  readonly sessionId: SessionId
  /** The cluster's shard, kept with the session so that its node finds it when it is due. */
  readonly shard: number
  readonly sha256: Sha256
  /** Called with what is committed, after each commit and activation: the place for everything that leaves. */
  readonly react: (activation: Activation) => void
  readonly commandBytesMax?: number
}

export interface SessionActor {
  /** Enqueues a command and waits for its committed outcome. Who stops waiting changes nothing. */
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** What the session folds to now: loads it if need be. */
  readonly current: Effect.Effect<Activation, SessionError>
  /**
   * The same, after asking the store. An owner that was overtaken for a moment, by a zombie that took an epoch and died,
   * would otherwise wait for ever for what the zombie began.
   */
  readonly wake: Effect.Effect<Activation, SessionError>
  /** Drops the activation: what comes next takes a new epoch and reads the log again. */
  readonly forget: () => void
}

/** Appends that fail for reasons that pass are tried this often, each time under a new epoch. */
const triesMax = 4
const snapshotEvery = 500
const retryAfterMs = 500

const decodeRefusal = Schema.decodeUnknownSync(Schema.fromJsonString(Refusal))

/**
 * One session: a mailbox, and a consumer that takes what waits, decides it in order, appends it in one statement, and
 * only then answers, publishes and reacts.
 */
export const make = Effect.fnUntraced(function* (
  options: SessionActorOptions
): Effect.fn.Return<SessionActor, never, EventStore | Minting | Feeds | Scope.Scope> {
  const store = yield* EventStore
  const minting = yield* Minting
  const feeds = yield* Feeds
  const clock = yield* Clock.Clock
  const { reach } = yield* CrashPoints
  const { sessionId, sha256 } = options
  const commandBytesMax = options.commandBytesMax ?? Limits.commandBytesMax

  const mailbox = yield* Queue.unbounded<Mail>()
  let active: Activation | null = null
  /** What was folded last, kept when an activation is dropped: the next one reads only what came after. */
  let folded: Activation | null = null
  let waiting = 0

  const unavailable = () => new SessionUnavailable({ sessionId, retryAfterMs })

  const become = (next: Activation): Activation => {
    active = next
    folded = next.epoch === 0 ? null : next
    return next
  }

  const forget = () => {
    active = null
  }

  const ensureActive = Effect.suspend(() =>
    active !== null
      ? Effect.succeed(active)
      : activate(store, sessionId, folded).pipe(
          Effect.map(become),
          Effect.tap((activation) => Effect.sync(() => options.react(activation)))
        )
  )

  const checkOwnership = Effect.suspend(() => {
    const mine = active
    if (mine === null || mine.epoch === 0) return Effect.void
    return Effect.map(store.head(sessionId), (head) => {
      const same = Option.isSome(head) && head.value.epoch === mine.epoch && head.value.version === mine.version
      if (!same) forget()
    })
  })

  const look = (check: boolean) =>
    Effect.suspend((): Effect.Effect<Activation, SessionError> => {
      const answer = Deferred.makeUnsafe<Activation, SessionError>()
      const taken = Queue.offerUnsafe(mailbox, { check, answer })
      return taken ? Deferred.await(answer) : Effect.fail(new SessionMoved({ sessionId }))
    })

  const settle = (one: Waiting, exit: Exit.Exit<Accepted, SessionError>) => {
    waiting--
    Deferred.doneUnsafe(one.answer, exit)
  }

  const failAll = (batch: ReadonlyArray<Waiting>, error: SessionError) => {
    for (const one of batch) settle(one, Exit.fail(error))
  }

  /** Answers the commands that were answered before as they were then; returns the rest. */
  const answerKnown = Effect.fnUntraced(function* (batch: ReadonlyArray<Waiting>, ask: ReadonlyArray<Waiting>) {
    const receipts = yield* store.receipts(
      sessionId,
      ask.map((one) => one.command.commandId)
    )
    const known = new Map<string, Receipt>(receipts.map((receipt) => [receipt.commandId, receipt]))
    return batch.filter((one) => {
      const receipt = one.digest === null ? undefined : known.get(one.command.commandId)
      if (receipt === undefined) return true
      if (receipt.digest !== one.digest) {
        settle(one, Exit.fail(new CommandIdReused({ commandId: receipt.commandId })))
      } else if (receipt._tag === "Accepted") {
        settle(one, Exit.succeed({ _tag: "Accepted", seq: receipt.seq, version: receipt.seq }))
      } else {
        const reason = decodeRefusal(receipt.reason)
        settle(one, Exit.fail(new CommandRejected({ command: one.command.body._tag, reason })))
      }
      return false
    })
  })

  const publish = (batch: ReadonlyArray<Waiting>, plan: Plan, next: Activation) => {
    become(next)
    reach("append.committed")
    if (plan.events.length > 0) feeds.publish(sessionId, { _tag: "Events", events: plan.events })
    // Whoever is answered may go on at once, and must find the reactor knowing what they know.
    options.react(next)
    reach("append.published")
    for (const [index, one] of batch.entries()) {
      const outcome = plan.outcomes[index]!
      settle(one, outcome._tag === "Accepted" ? Exit.succeed(outcome) : Exit.fail(outcome.error))
    }
    reach("append.answered")
  }

  const write = Effect.fnUntraced(function* (from: Activation, plan: Plan, nowMicros: number) {
    const { state } = plan.standing
    if (state._tag === "NotOpened" || (plan.events.length === 0 && plan.rejections.length === 0)) return from
    const row = Summary.summarize(state, Math.floor(nowMicros / 1_000))
    const changed = from.summary === null || !Summary.equals(from.summary, row)
    const append: Append = {
      stream: "session",
      streamId: sessionId,
      workspaceId: state.workspaceId,
      epoch: from.epoch,
      expectedVersion: from.version,
      events: plan.events,
      rejections: plan.rejections,
      wakeAt: wakeAt(state),
      summary: changed ? row : null
    }
    reach("command.planned")
    const written = store.append(append)
    // Sent and not yet answered: the process may end in between.
    yield* Effect.andThen(
      Effect.sync(() => reach("append.sent")),
      written
    )
    return { ...from, ...plan.standing, summary: changed ? row : from.summary }
  })

  /** A refusal that passes must not hide that the command was accepted before: these need their receipts first. */
  const doubtful = (batch: ReadonlyArray<Waiting>, plan: Plan) =>
    batch.filter((one, index) => {
      const outcome = plan.outcomes[index]!
      return (
        one.digest !== null &&
        outcome._tag === "Refused" &&
        outcome.error._tag === "CommandRejected" &&
        !isFinal(outcome.error.reason)
      )
    })

  const process = Effect.fnUntraced(function* (all: ReadonlyArray<Waiting>) {
    let batch = all
    let checked = false
    for (let tries = 0; tries < triesMax && batch.length > 0; tries++) {
      const activated = yield* Effect.result(ensureActive)
      if (activated._tag === "Failure") {
        const error = activated.failure
        if (error._tag === "SessionUnreadable" || tries === triesMax - 1) {
          return failAll(batch, error._tag === "StoreUnavailable" ? unavailable() : error)
        }
        yield* Effect.sleep(50 * 2 ** tries)
        continue
      }
      let from = activated.success
      const nowMicros = clock.currentTimeMillisUnsafe() * 1_000
      const plannedBy = (epoch: number) => planBatch(from, batch, { sessionId, epoch, nowMicros, sha256, minting })
      let plan = plannedBy(from.epoch)
      const written = yield* Effect.result(
        Effect.gen(function* () {
          const ask = checked || from.epoch === 0 ? [] : doubtful(batch, plan)
          if (ask.length > 0) {
            checked = true
            batch = yield* answerKnown(batch, ask)
            plan = plannedBy(from.epoch)
          }
          const { state } = plan.standing
          if (from.epoch === 0 && state._tag === "Open") {
            const { workspaceId } = state
            const head = yield* store.create({
              stream: "session",
              streamId: sessionId,
              workspaceId,
              shard: options.shard
            })
            // Somebody opened it in between: start from what is there.
            if (head.version > 0) return null
            from = become({ ...from, epoch: head.epoch })
            plan = plannedBy(head.epoch)
          }
          return yield* write(from, plan, nowMicros)
        })
      )
      if (written._tag === "Success") {
        if (written.success === null) {
          forget()
          folded = null
          continue
        }
        publish(batch, plan, written.success)
        return
      }
      const error = written.failure
      if (error._tag === "StoreUnavailable") {
        // The write may have happened: the next epoch ends all doubt, and receipts tell what it holds.
        forget()
        yield* Effect.sleep(50 * 2 ** tries)
        batch = yield* Effect.catch(
          answerKnown(
            batch,
            batch.filter((one) => one.digest !== null)
          ),
          () => Effect.succeed(batch)
        )
        continue
      }
      const { reason } = error
      if (reason._tag === "Fenced") {
        forget()
        return failAll(batch, new SessionMoved({ sessionId }))
      }
      if (reason._tag === "Duplicate") {
        const named = new Set(reason.commandIds)
        batch = yield* Effect.catch(
          answerKnown(
            batch,
            batch.filter((one) => named.has(one.command.commandId))
          ),
          () => Effect.succeed(batch)
        )
        continue
      }
      if (reason._tag === "BadData") {
        if (batch.length === 1) {
          const { commandId } = batch[0]!.command
          return failAll(batch, new CommandUnstorable({ commandId, detail: reason.detail }))
        }
        // One of them is bad: alone, it fails alone.
        for (const one of batch) yield* process([one])
        return
      }
      forget()
    }
    failAll(batch, unavailable())
  }) as (all: ReadonlyArray<Waiting>) => Effect.Effect<void>

  const saveSnapshot = Effect.suspend(() => {
    const now = folded
    if (now === null || now.state._tag !== "Open" || now.version === now.snapshotVersion) return Effect.void
    const { state, version } = now
    return store.saveSnapshot({ streamId: sessionId, foldVersion, version, state: JSON.stringify(state) }).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          if (folded === now && active === now) become({ ...now, snapshotVersion: version })
        })
      ),
      Effect.ignore
    )
  })

  const handleTaken = Effect.fnUntraced(function* (taken: ReadonlyArray<Mail>) {
    reach("command.taken")
    const commands = taken.filter((one): one is Waiting => "command" in one)
    if (commands.length > 0) {
      yield* process(commands).pipe(
        Effect.catchCause((cause) =>
          Effect.logError("A batch of commands broke the session's actor", cause).pipe(
            Effect.andThen(
              Effect.sync(() => {
                forget()
                for (const one of commands) {
                  if (!Deferred.isDoneUnsafe(one.answer)) settle(one, Exit.fail(unavailable()))
                }
              })
            )
          )
        )
      )
    }
    for (const one of taken) {
      if ("command" in one) continue
      const exit = yield* Effect.exit(one.check ? Effect.andThen(checkOwnership, ensureActive) : ensureActive)
      Deferred.doneUnsafe(
        one.answer,
        Exit.mapError(exit, (error) => (error._tag === "StoreUnavailable" ? unavailable() : error))
      )
    }
    if (folded !== null && folded.version - folded.snapshotVersion >= snapshotEvery) yield* saveSnapshot
  })

  // Waiting for mail can be interrupted; what has been taken is finished.
  const consume = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(Queue.takeBetween(mailbox, 1, Limits.commandsPerAppendMax)), handleTaken)
  ).pipe(Effect.forever)

  // Finalizers run last first: the consumer ends, the snapshot is written, and what still waits is sent elsewhere.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* saveSnapshot
      const left = yield* Queue.clear(mailbox)
      for (const one of left) {
        const moved = Exit.fail(new SessionMoved({ sessionId }))
        if ("command" in one) settle(one, moved)
        else Deferred.doneUnsafe(one.answer, moved)
      }
      yield* Queue.shutdown(mailbox)
    })
  )
  yield* Effect.forkScoped(consume)

  return {
    handle: (command) =>
      Effect.suspend(() => {
        const client = isClientCommand(command.body._tag)
        if (client && waiting >= Limits.mailboxMax) return new Overloaded({ sessionId, retryAfterMs })
        if (client) {
          const bytes = CommandBody.size(command)
          if (bytes > commandBytesMax) return new CommandTooLarge({ bytes, bytesMax: commandBytesMax })
        }
        const answer = Deferred.makeUnsafe<Accepted, SessionError>()
        const digest = client ? CommandBody.digest(sha256, command) : null
        waiting++
        if (!Queue.offerUnsafe(mailbox, { command, digest, answer })) {
          waiting--
          return new SessionMoved({ sessionId })
        }
        return Deferred.await(answer)
      }),
    current: Effect.suspend(() => (active !== null ? Effect.succeed(active) : look(false))),
    wake: look(true),
    forget
  }
})
