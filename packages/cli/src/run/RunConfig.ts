import { Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { abilitiesOf } from "../up/Abilities.ts"
import { holderOf } from "../up/Home.ts"
import { apiKeyFile } from "../up/parts.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import type { Server } from "./Api.ts"

/** Which server, and with what key: the one that is named, else the one that runs in this home. A text says what is missing. */
export const serverOf = (given: UpConfig, environment: NodeJS.ProcessEnv = process.env): Server | string => {
  const named = environment.TROUPE_SERVER_URL
  const url = named ?? holderOf(given.home)?.url
  if (url === undefined) return "Nothing runs here. Start it with npm start, or name a server in TROUPE_SERVER_URL."
  const file = apiKeyFile(given.home)
  if (given.apiKey !== null) return { url: trimmed(url), key: given.apiKey }
  // The key of this home is for the server of this home.
  if (named !== undefined) return "The key of the server is missing: set TROUPE_API_KEY."
  if (!existsSync(file)) return `There is no key in ${file} yet: wait until npm start says that Troupe is ready.`
  return { url: trimmed(url), key: Redacted.make(readFileSync(file, "utf8").trim()) }
}

const trimmed = (url: string) => url.replace(/\/+$/, "")

/** Whether tools of this home's runner run where they can do no harm. */
export const isIsolated = ({ runnerState }: UpConfig, environment: NodeJS.ProcessEnv = process.env): boolean => {
  if (environment.TROUPE_SERVER_URL !== undefined) return true
  const sandbox = abilitiesOf(runnerState)?.defaultSandbox ?? null
  return sandbox !== null && sandbox !== "local"
}
