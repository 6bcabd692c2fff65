import { Effect, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import { Api } from "../run/Api.ts"
import { apiKeyFile } from "./parts.ts"
import type { UpConfig } from "./UpConfig.ts"

const isServed = Schema.is(Schema.Struct({ console: Schema.Literal(true) }))
const decodeLink = Schema.decodeUnknownSync(Schema.Struct({ url: Schema.String }))

const withinMs = 5_000

/** What opens the console in a browser, once; null where there is no console, or nobody who says. */
export const loginLink = ({ apiKey, home }: UpConfig, url: string): Effect.Effect<string | null> =>
  Effect.tryPromise(async () => {
    const key = apiKey ?? Redacted.make(readFileSync(apiKeyFile(home), "utf8").trim())
    const api = new Api({ url, key })
    if (!isServed(await api.get("/v1/config/client"))) return null
    return decodeLink(await api.post("/v1/login_links", {})).url
  }).pipe(
    Effect.timeout(withinMs),
    Effect.catch(() => Effect.succeed(null))
  )
