import { Effect } from "effect"
import type { ChildLog } from "./ChildLog.ts"
import type { Told } from "./Keeper.ts"

export const say = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))

const tailLines = 12
const widthMax = 400

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const tailOf = (log: ChildLog): string => {
  const lines = log.tail(tailLines).map((line) => `    ${line.slice(0, widthMax)}`)
  return lines.length === 0 ? "" : `\n  The end of ${log.file}:\n${lines.join("\n")}`
}

/** How a part that does not work is told of. */
export const tellEnd = (how: { readonly message: string }, log: ChildLog): string => `${how.message}.${tailOf(log)}`

export const told: Omit<Told, "givenUp"> = {
  ended: (how, _times, againInMs) => say(`${how.message}; it starts again in ${seconds(againInMs)}`),
  loops: (part, how, times, againInMs) =>
    say(
      `${part.name} has ended ${times} times in a row; the next try is in ${seconds(againInMs)}. ${tellEnd(how, part.log)}`
    ),
  restarted: (part, { process }) => say(`${part.name} is started again (process ${process.pid})`)
}

/** Of what processes write, people see here what is wrong; all of it is in the files. */
const isTrouble = (line: string) => /\b(?:WARN|WARNING|ERROR|FATAL|PANIC)\b/.test(line.slice(0, 120))

const everyMs = 250

/** Shows what is wrong in short, and keeps the files bounded. */
export const follow = (logs: ReadonlyArray<readonly [name: string, log: ChildLog]>, isShown: () => boolean) =>
  Effect.gen(function* () {
    for (const [name, log] of logs) {
      const trouble = log.news().filter(isTrouble)
      // The same from many at once, such as from each connection of a database that ends, is said once.
      const told = new Map(trouble.map((line) => [line.replace(/\d+/g, ""), line]))
      for (const line of isShown() ? told.values() : []) {
        yield* say(`${name.padEnd(8)} ${line.slice(0, widthMax).replace(/ \{$/, "")}`)
      }
    }
    yield* Effect.sleep(everyMs)
  }).pipe(
    Effect.catchDefect((cause) =>
      Effect.andThen(say(`The logs can't be followed now: ${String(cause)}`), Effect.sleep(10_000))
    ),
    Effect.forever
  )
