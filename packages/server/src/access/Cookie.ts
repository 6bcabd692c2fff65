import { Option, Redacted } from "effect"
import type { Headers } from "effect/http/Headers"

/** Browsers keep cookies by host alone, so servers on other ports of it need other names. */
const nameFor = (headers: Headers): string => {
  const port = /:(\d+)$/.exec(headers["host"] ?? "")?.[1]
  return port === undefined ? "troupe_session" : `troupe_session_${port}`
}

/** The secret of a console's session, where a browser sent one. */
export const consoleSecret = (headers: Headers): Option.Option<Redacted.Redacted> => {
  const name = nameFor(headers)
  for (const pair of (headers["cookie"] ?? "").split(";")) {
    const at = pair.indexOf("=")
    const value = pair.slice(at + 1).trim()
    if (at > 0 && pair.slice(0, at).trim() === name && value !== "") return Option.some(Redacted.make(value))
  }
  return Option.none()
}

/** Sent back by pages of this server alone, and read by none of their scripts. */
const attributes = (secure: boolean) => `Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`

export const cookieOf = (
  headers: Headers,
  secret: Redacted.Redacted,
  options: { readonly maxAgeSeconds: number; readonly secure: boolean }
): string =>
  `${nameFor(headers)}=${Redacted.value(secret)}; Max-Age=${options.maxAgeSeconds}; ${attributes(options.secure)}`

export const noCookie = (headers: Headers, secure: boolean): string =>
  `${nameFor(headers)}=; Max-Age=0; ${attributes(secure)}`
