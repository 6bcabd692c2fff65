import { Troupe } from "@troupe/client"
import { Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { apiKeyFile } from "./parts.ts"
import type { UpConfig } from "./UpConfig.ts"

const withinMs = 5_000

/** What opens the console in a browser, once; null where there is no console, or nobody who says. */
export const loginLink = ({ apiKey, home }: UpConfig, url: string): Effect.Effect<string | null> =>
  Effect.tryPromise(async () => {
    const key = apiKey ?? Redacted.make(readFileSync(apiKeyFile(home), "utf8").trim())
    const troupe = new Troupe({ baseURL: url, apiKey: Redacted.value(key) })
    const { console } = await troupe.access.config()
    return console ? (await troupe.access.createLoginLink()).url : null
  }).pipe(
    Effect.timeout(withinMs),
    Effect.catch(() => Effect.succeed(null))
  )
