import { Clock, Effect } from "effect"
import { columns as terminalColumns } from "../terminal/columns.ts"
import { Json } from "./globals.ts"
import { type Cell, table } from "./table.ts"

/** Data: what programs read. */
export const print = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${text}\n`))

/** One thing: as JSON where that is asked for, else in words. */
export const printOne = Effect.fnUntraced(function* <A>(item: A, inWords: (item: A, now: number) => string) {
  const isJson = yield* Json
  const now = yield* Clock.currentTimeMillis
  yield* print(isJson ? JSON.stringify(item) : inWords(item, now))
})

/** That something was done: as JSON where that is asked for, else it is talk. */
export const tellDone = Effect.fnUntraced(function* (facts: object, inWords: string) {
  if (yield* Json) yield* print(JSON.stringify(facts))
  else yield* Effect.sync(() => void process.stderr.write(`${inWords}\n`))
})

export interface Columns<A> {
  readonly headings: ReadonlyArray<string>
  readonly row: (item: A, now: number) => ReadonlyArray<Cell>
  /** What is said where there is nothing. */
  readonly none: string
}

/** A list: as lines of JSON where that is asked for, else as a table. */
export const printList = Effect.fnUntraced(function* <A>(items: ReadonlyArray<A>, columns: Columns<A>) {
  const isJson = yield* Json
  if (isJson) {
    for (const item of items) yield* print(JSON.stringify(item))
    return
  }
  if (items.length === 0) {
    yield* Effect.sync(() => void process.stderr.write(`${columns.none}\n`))
    return
  }
  const now = yield* Clock.currentTimeMillis
  const rows = items.map((item) => columns.row(item, now))
  yield* print(table(columns.headings, rows, terminalColumns()))
})

/** The exit code of a command that worked, and yet says by it how things went. */
export const leaveWith = (code: number): Effect.Effect<void> =>
  Effect.sync(() => {
    process.exitCode = code
  })
