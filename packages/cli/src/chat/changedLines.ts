import { clean } from "../terminal/clean.ts"
import { green, red } from "../terminal/styles.ts"

const linesOf = (text: unknown): ReadonlyArray<string> =>
  typeof text === "string" && text !== "" ? clean(text).replace(/\n$/, "").split("\n") : []

/** How many lines two texts begin with alike. */
const alike = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): number => {
  const at = one.findIndex((line, index) => line !== other[index])
  return at < 0 ? one.length : at
}

/** What a call changes of a file, in lines with signs, as it was asked for; none where it changes none. */
export const changedLines = (input: unknown): ReadonlyArray<string> => {
  const { content, new_string, old_string } = (input ?? {}) as Readonly<Record<string, unknown>>
  const before = linesOf(old_string)
  const after = linesOf(typeof new_string === "string" ? new_string : content)
  const first = alike(before, after)
  const [old, made] = [before.slice(first), after.slice(first)]
  const last = alike(old.toReversed(), made.toReversed())
  return [
    ...old.slice(0, old.length - last).map((line) => red(`- ${line}`)),
    ...made.slice(0, made.length - last).map((line) => green(`+ ${line}`))
  ]
}
