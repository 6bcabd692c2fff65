import { Option, Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble, usageTrouble } from "../app/Trouble.ts"
import { abilitiesOf } from "../up/Abilities.ts"
import { holderOf } from "../up/Home.ts"
import { apiKeyFile } from "../up/parts.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { chosen } from "./Contexts.ts"
import type { Located } from "./reach.ts"
import { ourName, startWords } from "../app/NameConfig.ts"

/** A server, and the key to it. */
export interface Server extends Located {
  readonly key: Redacted.Redacted
}

/** Whether a server can be found by it. */
export const isAddress = (url: string): boolean => /^https?:\/\/[^/]/.test(url) && URL.canParse(url)

export const noAddress = (url: string): Trouble =>
  usageTrouble(`${url} is no address that begins with https:// or http://.`, "Look at TROUPE_SERVER.")

const trimmed = (url: string) => url.replace(/\/+$/, "")

const nothingRuns = new Trouble({
  what: "Nothing runs here.",
  advice: `Start it with ${startWords}, or name a server in TROUPE_SERVER.`,
  code: exitCodes.noServer
})

const missingKey = (url: string) =>
  new Trouble({
    what: `The key of ${url} is missing.`,
    advice: `Set TROUPE_API_KEY, or keep it for good: ${ourName} contexts add NAME URL`,
    code: exitCodes.noServer
  })

/** Fails where nothing can listen any more, or nobody has said the key. */
const ofHome = (given: UpConfig): Server | Trouble => {
  const url = holderOf(given.home)?.url
  if (url === undefined) return nothingRuns
  if (given.apiKey !== null) return { url: trimmed(url), key: given.apiKey, isOurs: true }
  const file = apiKeyFile(given.home)
  if (existsSync(file)) {
    return { url: trimmed(url), key: Redacted.make(readFileSync(file, "utf8").trim()), isOurs: true }
  }
  return new Trouble({
    what: `There is no key in ${file} yet.`,
    advice: `Wait until ${startWords} says that Troupe is ready.`,
    code: exitCodes.noServer
  })
}

/**
 * The server that is named by `--context`, else by `TROUPE_SERVER`, else by the context in use, else the one that runs in
 * this home. The key of this home is for the server of this home.
 */
export const serverOf = (
  given: UpConfig,
  context: Option.Option<string>,
  environment: NodeJS.ProcessEnv = process.env
): Server | Trouble => {
  const named = environment.TROUPE_SERVER || environment.TROUPE_SERVER_URL
  if (Option.isNone(context) && named) {
    if (!isAddress(named)) return noAddress(named)
    return given.apiKey === null ? missingKey(named) : { url: trimmed(named), key: given.apiKey, isOurs: false }
  }
  const found = chosen(given.home, Option.getOrNull(context))
  if (found instanceof Trouble) return found
  return found === null ? ofHome(given) : { ...found, url: trimmed(found.url), isOurs: false }
}

/** Whether another server than the home's own is meant where no `--context` says so. */
export const namesServer = ({ home }: UpConfig, environment: NodeJS.ProcessEnv = process.env): boolean =>
  Boolean(environment.TROUPE_SERVER || environment.TROUPE_SERVER_URL) || chosen(home, null) !== null

/** Whether tools of this home's runner run where they can do no harm. What other servers do is theirs to say. */
export const isIsolated = ({ runnerState }: UpConfig): boolean => {
  const sandbox = abilitiesOf(runnerState)?.defaultSandbox ?? null
  return sandbox !== null && sandbox !== "local"
}
