import { Troupe } from "@troupe/client"
import { Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { apiKeyFile } from "./parts.ts"
import type { UpConfig } from "./UpConfig.ts"

const withinMs = 5_000

/** The first key of the first workspace. */
export const keyOf = ({ apiKey, home }: UpConfig): Redacted.Redacted =>
  apiKey ?? Redacted.make(readFileSync(apiKeyFile(home), "utf8").trim())

/** What opens the console in a browser, once; null where there is no console, or nobody who says. */
export const loginLink = (given: UpConfig, url: string): Effect.Effect<string | null> =>
  Effect.tryPromise(async () => {
    const troupe = new Troupe({ baseURL: url, apiKey: Redacted.value(keyOf(given)) })
    const { console } = await troupe.access.config()
    return console ? (await troupe.access.createLoginLink()).url : null
  }).pipe(
    Effect.timeout(withinMs),
    Effect.catch(() => Effect.succeed(null))
  )
