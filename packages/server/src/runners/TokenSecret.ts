import { Redacted } from "effect"
import { createHash, randomBytes } from "node:crypto"

/** Kinds of tokens, by the prefix of their secrets, so that whoever finds one knows what it opens. */
export const secretPrefixes = { runner_registration: "trp_reg_", runner: "trp_run_", api_key: "trp_key_" } as const
export type TokenKind = keyof typeof secretPrefixes

/** Who has this is whom we gave it to. Shown once; we keep its hash. */
export const mint = (kind: TokenKind): Redacted.Redacted =>
  Redacted.make(`${secretPrefixes[kind]}${randomBytes(32).toString("base64url")}`)

/** 256 random bits can't be guessed, so what is stored is made by a hash that costs nothing to check. */
export const hashOf = (secret: string): Uint8Array => createHash("sha256").update(secret).digest()

/** Enough to recognise it by. */
export const hintOf = (secret: string): string => secret.slice(-4)

const described: ReadonlyArray<readonly [prefix: string, what: string]> = [
  [secretPrefixes.runner_registration, "a registration token"],
  [secretPrefixes.runner, "a runner's credential"],
  ["trp_", "an API key"]
]

/** What a secret looks like, for telling somebody that it is the wrong one. */
export const describe = (secret: string): string | undefined =>
  described.find(([prefix]) => secret.startsWith(prefix))?.[1]
