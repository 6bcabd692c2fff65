import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Effect, Exit, Predicate } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { AppendRows } from "./AppendRows.ts"
import { outcomes } from "./AppendStatement.ts"
import { AppendRefused, StoreUnavailable } from "./EventStore.ts"
import { commandIdOf } from "./EventRows.ts"
import { idOf } from "./LogTypes.ts"

export type AppendExit = Exit.Exit<void, AppendRefused | StoreUnavailable>

/** One row for each refused append: its place in the batch, the outcome, epoch, version, chain, duplicates, inputs. */
export type Answer = ReadonlyArray<ReadonlyArray<unknown>>

/** The five characters by which the server names what went wrong, if it did. */
export const sqlState = (error: SqlError): string => {
  const { cause } = error.reason
  return Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : ""
}

/**
 * What an error says about the batch: `data`, one of its members is to blame; `undone`, nothing was written, and the
 * same may work now; `doubt`, it may have been written; `hopeless`, the database can't.
 */
type Verdict = "data" | "undone" | "doubt" | "hopeless"

export const judge = (error: SqlError): Verdict => {
  if (error.reason.cause instanceof PgTypes.CodecError) return "data"
  const state = sqlState(error)
  switch (state.slice(0, 2)) {
    case "22": // Data exception: a NUL in a text, invalid JSON, a number out of range.
    case "23": // A constraint: an external key that is taken, for instance.
    case "54": // A limit of the program, such as a too large key of an index.
      return "data"
    case "40": // Deadlock, serialization.
    case "55": // A lock that could not be had.
      return "undone"
    case "08":
    case "57": // The server is being stopped, has crashed, or has cancelled the statement.
      return state === "57014" ? "undone" : "doubt"
  }
  return error.reason._tag === "ConnectionError" ? "doubt" : "hopeless"
}

const refused = (rows: AppendRows, reason: AppendRefused["reason"]): AppendExit =>
  Exit.fail(new AppendRefused({ streamId: rows.append.streamId, reason }))

/** The code and the server's sentence; its details would quote the data. */
const badData = (rows: AppendRows, error: SqlError): AppendExit => {
  const { cause } = error.reason
  const message = Predicate.hasProperty(cause, "message") ? String(cause.message) : error.message
  if (sqlState(error) === "23505" && message.includes("sessions_external"))
    return refused(rows, { _tag: "ExternalKeyTaken" })
  return refused(rows, { _tag: "BadData", detail: `${sqlState(error)} ${message}`.trim() })
}

const wholeBatch = (batch: ReadonlyArray<AppendRows>, exit: AppendExit) => batch.map(() => exit)

const racesMax = 5
const lostRetryMs = 100

/**
 * Runs a batch until each append has an answer. A bad append is found by halving the batch, so it fails alone. A batch
 * whose answer was lost runs again, once: an append that finds itself at the head of its stream was written the
 * first time, and is answered so.
 */
export const runBatch = (execute: (batch: ReadonlyArray<AppendRows>) => Effect.Effect<Answer, SqlError>) => {
  const answers = Effect.fnUntraced(function* (
    batch: ReadonlyArray<AppendRows>,
    answer: Answer,
    again: boolean,
    races: number
  ): Effect.fn.Return<ReadonlyArray<AppendExit>> {
    const exits: Array<AppendExit> = batch.map(() => Exit.void)
    const raced: Array<number> = []
    for (const [place, outcome, epoch, version, chain, duplicates, taken] of answer) {
      const at = (place as number) - 1
      const rows = batch[at]!
      const { append } = rows
      switch (outcome) {
        case outcomes.noStream:
          exits[at] = refused(rows, { _tag: "NoStream" })
          break
        case outcomes.fenced:
          exits[at] = refused(rows, { _tag: "Fenced", epoch: epoch as number })
          break
        case outcomes.duplicate:
          exits[at] = refused(rows, {
            _tag: "Duplicate",
            commandIds: (duplicates as ReadonlyArray<string>).map(commandIdOf)
          })
          break
        case outcomes.inputTaken:
          exits[at] = refused(rows, {
            _tag: "InputTaken",
            inputIds: (taken as ReadonlyArray<string>).map((column) => idOf("Event", column))
          })
          break
        case outcomes.raced:
          raced.push(at)
          break
        case outcomes.version: {
          const written = again && append.events.length > 0 && chain === append.events.at(-1)!.chain
          if (!written) exits[at] = refused(rows, { _tag: "VersionConflict", version: version as number })
        }
      }
    }
    if (raced.length > 0) {
      const rest = raced.map((at) => batch[at]!)
      const outcome =
        races < racesMax
          ? yield* attempt(rest, again, races + 1)
          : wholeBatch(rest, unavailable(new Error("the head rows keep changing")))
      raced.forEach((at, index) => (exits[at] = outcome[index]!))
    }
    return exits
  })

  const attempt = (
    batch: ReadonlyArray<AppendRows>,
    again: boolean,
    races: number
  ): Effect.Effect<ReadonlyArray<AppendExit>> =>
    Effect.matchEffect(execute(batch), {
      onSuccess: (answer) =>
        answer.length === 0 ? Effect.succeed(wholeBatch(batch, Exit.void)) : answers(batch, answer, again, races),
      onFailure: (error) => recover(batch, error, again, races)
    })

  const recover = Effect.fnUntraced(function* (
    batch: ReadonlyArray<AppendRows>,
    error: SqlError,
    again: boolean,
    races: number
  ): Effect.fn.Return<ReadonlyArray<AppendExit>> {
    const verdict = judge(error)
    if (verdict === "data") {
      if (batch.length === 1) return [badData(batch[0]!, error)]
      const half = batch.length >> 1
      const first = yield* attempt(batch.slice(0, half), again, races)
      return [...first, ...(yield* attempt(batch.slice(half), again, races))]
    }
    if (verdict === "hopeless" || again) return wholeBatch(batch, unavailable(error))
    if (verdict === "doubt") yield* Effect.sleep(lostRetryMs)
    return yield* attempt(batch, true, races)
  })

  return (batch: ReadonlyArray<AppendRows>) => attempt(batch, false, 0)
}

const unavailable = (cause: unknown): AppendExit => Exit.fail(new StoreUnavailable({ operation: "append", cause }))
