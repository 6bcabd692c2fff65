import { type ConnectionError, TimeoutError } from "@troupe/client"
import { sentence } from "../app/sentence.ts"

const noWay = "no way leads there; is this host on a network?"
const late = "no answer came in time"
const cut = "the connection was cut"
const untrusted = "its certificate is not trusted here; NODE_EXTRA_CA_CERTS names a file with one that is"

/** Why no connection came about, by the system's code, in words. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "no host has this name",
  EAI_AGAIN: "its name can't be looked up; is this host on a network?",
  ENETUNREACH: noWay,
  EHOSTUNREACH: noWay,
  EADDRNOTAVAIL: noWay,
  ETIMEDOUT: late,
  UND_ERR_CONNECT_TIMEOUT: late,
  ECONNRESET: cut,
  UND_ERR_SOCKET: cut,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted
}

/** Why no connection came about, in words where we have some for what the system says. */
export const whyNot = (code: string): string => reasons[code] ?? code

/** What the system says lies below a failure, if it does. */
const codeOf = (error: unknown): string | null => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (typeof code === "string") return code
  }
  return null
}

/** That a server can't be reached, and why. */
export const unreachable = (url: string, error: ConnectionError): string => {
  const known = reasons[codeOf(error) ?? ""] ?? (error instanceof TimeoutError ? late : undefined)
  return sentence(
    known === undefined ? error.message.replace(": fetch failed", "") : `${url} can't be reached: ${known}`
  )
}
