import type { LogEvent } from "@troupe/client"
import { clean } from "../terminal/clean.ts"
import { cut } from "../terminal/width.ts"

const textMax = 2_000

/** An event of a log in a line: its number, when, what, and the beginning of what it says. */
export const logLine = ({ payload, recorded_at, seq, type }: LogEvent, columns: number | undefined): string => {
  const said = payload === null ? "(redacted)" : JSON.stringify(payload)
  const line = `${String(seq).padStart(5)}  ${recorded_at.slice(11, 23)}  ${type.padEnd(22)}  ${clean(said)}`
  return cut(line, columns ?? textMax)
}
