import { Redacted } from "effect"
import { createHash, randomBytes } from "node:crypto"

/** Kinds of tokens, by the prefix of their secrets, so that whoever finds one knows what it opens. */
export const secretPrefixes = {
  runner_registration: "trp_reg_",
  runner: "trp_run_",
  environment_key: "trp_env_",
  worker: "trp_wrk_",
  end_user: "trp_usr_",
  stream: "trp_str_",
  console: "trp_con_",
  login: "trp_log_",
  api_key: "trp_key_"
} as const
export type TokenKind = keyof typeof secretPrefixes

/** Who has this is whom we gave it to. Shown once; we keep its hash. */
export const mint = (kind: TokenKind): Redacted.Redacted =>
  Redacted.make(`${secretPrefixes[kind]}${randomBytes(32).toString("base64url")}`)

/** 256 random bits can't be guessed, so what is stored is made by a hash that costs nothing to check. */
export const hashOf = (secret: string): Uint8Array => createHash("sha256").update(secret).digest()

/** Enough to recognise it by. */
export const hintOf = (secret: string): string => secret.slice(-4)

/** What each kind is called in sentences. */
export const names: Readonly<Record<TokenKind, string>> = {
  runner_registration: "a registration token",
  runner: "a runner's credential",
  environment_key: "an environment's key",
  worker: "a worker's token",
  end_user: "an end user's token",
  stream: "a stream token",
  console: "a console's session",
  login: "a one-time login link",
  api_key: "an API key"
}

/** What a secret looks like, for telling somebody that it is the wrong one. */
export const describe = (secret: string): string | undefined => {
  const kind = (Object.keys(secretPrefixes) as Array<TokenKind>).find((one) => secret.startsWith(secretPrefixes[one]))
  if (kind !== undefined) return names[kind]
  return secret.startsWith("trp_") ? names.api_key : undefined
}
