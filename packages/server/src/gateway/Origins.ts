import { type ApiFailure, forbidden, invalid } from "@troupe/domain/api/ApiError"
import { Option } from "effect"
import type { Headers } from "effect/http/Headers"
import { isIP } from "node:net"

export interface OriginOptions {
  /** Where the gateway listens. */
  readonly host: string
  /** The origin that it has behind a proxy. */
  readonly publicUrl: Option.Option<string>
  /** Origins whose pages may call the API. */
  readonly corsOrigins: ReadonlyArray<string>
}

/** Whose page sends a request: none's, one of this server's, or one of an origin that was let in. */
export type Sender = "none" | "own" | "listed"

const hostOf = (authority: string): string | undefined => {
  const found = /^(?:\[([^\]]+)\]|([^:\s]+))(?::\d+)?$/.exec(authority)
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

const isLoopback = (name: string) => name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name)

/**
 * Addresses by which requests may come. A server that listens at all of its host's can't know which these are; one that
 * listens at one alone is known by no other.
 */
const isAddress = (listening: string): ((name: string) => boolean) => {
  if (["0.0.0.0", "::", ""].includes(listening)) return (name) => name === "localhost" || isIP(name) !== 0
  return isLoopback(listening) ? isLoopback : () => false
}

/**
 * Names by which requests may come. A page of another site can make its own name point here, and its scripts would
 * then speak to us as if we were it; but it can't make an address of ours its name.
 */
export const makeSenderOf = ({ corsOrigins, host, publicUrl }: OriginOptions) => {
  const names = new Set([host.toLowerCase()])
  const isOurs = isAddress(host)
  const origins = new Set<string>()
  const listed = new Set(corsOrigins)
  if (Option.isSome(publicUrl)) {
    const url = new URL(publicUrl.value)
    names.add(url.hostname.toLowerCase().replace(/^\[|\]$/g, ""))
    origins.add(url.origin)
  }
  return (headers: Headers): Sender | ApiFailure => {
    const authority = headers["host"] ?? ""
    if (authority === "") return invalid("Host: is missing")
    const name = hostOf(authority)
    if (name === undefined || !(names.has(name) || isOurs(name))) {
      return forbidden("This host name is not one of this server; set TROUPE_PUBLIC_URL")
    }
    const { origin } = headers
    if (origin === undefined) return "none"
    if (origins.has(origin) || /^https?:\/\/(.*)$/.exec(origin)?.[1] === authority) return "own"
    if (listed.has(origin)) return "listed"
    return forbidden(
      "Requests from pages of this origin are not taken; set TROUPE_PUBLIC_URL, or TROUPE_CORS_ORIGINS for pages elsewhere"
    )
  }
}
