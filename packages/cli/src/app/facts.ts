import { clean } from "../terminal/clean.ts"

/** What is known of one thing, a line each. */
export const facts = (all: ReadonlyArray<readonly [name: string, value: string | null]>): string => {
  const width = Math.max(...all.map(([name]) => name.length)) + 2
  return all.map(([name, value]) => `${name.padEnd(width)}${value === null ? "–" : clean(value)}`).join("\n")
}
