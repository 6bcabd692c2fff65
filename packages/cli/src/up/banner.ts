import type { Abilities } from "@troupe/domain/runner/Hello"
import { Redacted } from "effect"
import { renderUnicodeCompact } from "uqr"
import { unusable, usable } from "./Abilities.ts"
import { ourName } from "../app/NameConfig.ts"

export interface Started {
  readonly url: string
  readonly keyFile: string | null
  /** The key itself, for whoever is to see it; null: nobody. */
  readonly key: Redacted.Redacted | null
  /** Opens the console, once. Null where there is none. */
  readonly loginLink: string | null
  readonly logs: string
  readonly abilities: Abilities | null
  /** Null where somebody else did not measure it. */
  readonly inMs: number | null
  /** Whether others in the network reach it. */
  readonly isShared: boolean
}

/** What a person who has just started Troupe wants to know. */
export const banner = ({ abilities, inMs, isShared, key, keyFile, loginLink, logs, url }: Started): string => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["url", url],
    ...(loginLink === null ? [] : [["console", loginLink] as const]),
    ["key", keyFile ?? "the one in TROUPE_API_KEY"],
    ...(key === null ? [] : [["", Redacted.value(key)] as const]),
    ...(abilities === null ? [] : about(abilities)),
    ["logs", logs],
    ["next", `${ourName} run "run: uname -a"`]
  ]
  const table = rows.map(([name, text]) => `  ${name.padEnd(9)}${text}`).join("\n")
  const after = inMs === null ? "" : `, after ${(inMs / 1000).toFixed(1)} s`
  const once = loginLink === null ? "" : "\nThe console's link logs one browser in, within ten minutes.\n"
  const shared = isShared ? sharedText(loginLink) : ""
  return `Troupe is ready${after}.\n\n${table}\n${once}${shared}`
}

/** For a phone's camera, and what everybody should know who lets others come in. */
const sharedText = (loginLink: string | null): string => {
  const code = loginLink === null ? "" : `\n${renderUnicodeCompact(loginLink, { border: 2 })}\n`
  return `${code}
Who is in this network reaches this address; nobody comes in without that link or a key. What is said there is not
encrypted: do this in networks that you trust.
`
}

const about = (abilities: Abilities): ReadonlyArray<readonly [string, string]> => [
  ["sandbox", sandboxLine(abilities)],
  ["models", modelsLine(abilities)]
]

export const sandboxLine = ({ defaultSandbox, sandboxes }: Abilities): string => {
  if (defaultSandbox !== "local") return defaultSandbox ?? "none can be used"
  const why = unusable(sandboxes.filter(({ name }) => name === "bubblewrap"))[0]
  return `local: NO ISOLATION, tools ask before they run${why === undefined ? "" : ` (${why})`}`
}

export const modelsLine = ({ models }: Abilities): string => {
  const found = usable(models)
  const broken = unusable(models)
  const alone = found.length === 1 && found[0] === "demo"
  const hint = "demo, which works without a key; for others set OPENAI_API_KEY or ANTHROPIC_API_KEY and start again"
  return [alone && broken.length === 0 ? hint : found.join(", "), ...broken.map((line) => `not ${line}`)].join("; ")
}
