import { type Session, Troupe } from "@troupe/client"
import { Effect, Redacted } from "effect"
import { clean } from "../terminal/clean.ts"
import { cut } from "../terminal/width.ts"
import { keyOf } from "./loginLink.ts"
import { say } from "./Talk.ts"
import type { UpConfig } from "./UpConfig.ts"

const withinMs = 1_000
const namedMax = 3
const titleWidth = 40

const nameOf = ({ id, title }: Pick<Session, "id" | "title">): string => {
  const words = clean(title ?? "").trim()
  return words === "" ? id : `${cut(words, titleWidth)} (${id})`
}

/** The sessions that a stop waits for, and how long; null where none is at work. */
export const atWorkInWords = (
  sessions: ReadonlyArray<Pick<Session, "id" | "title">>,
  graceMs: number
): string | null => {
  const { length } = sessions
  if (length === 0) return null
  const others = length > namedMax ? ` and ${length - namedMax} more` : ""
  return (
    `${length === 1 ? "1 session is" : `${length} sessions are`} at work: ${sessions.slice(0, namedMax).map(nameOf).join(", ")}${others}.\n` +
    `Turns that end within ${Math.ceil(graceMs / 1_000)} s are waited for; the others go on at the next start.`
  )
}

/** Says what a stop will wait for, where it is anything, and how one need not. A node that does not say so at once is not asked twice. */
export const tellWork = (given: UpConfig, url: string, hurry: string): Effect.Effect<void> =>
  Effect.tryPromise(async (signal) => {
    const troupe = new Troupe({ baseURL: url, apiKey: Redacted.value(keyOf(given)), maxRetries: 0 })
    const { data } = await troupe.sessions.list({ "statuses[]": ["running"], limit: 100 }, { signal })
    return atWorkInWords(data, given.runnerStopGraceMs)
  }).pipe(
    Effect.timeout(withinMs),
    Effect.catch(() => Effect.succeed(null)),
    Effect.flatMap((words) => (words === null ? Effect.void : say(`${words}\n${hurry}`)))
  )
