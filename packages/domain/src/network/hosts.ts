import { isIPv4, isIPv6 } from "./ip.ts"

/** What a URL parser drops, decodes or takes for something else: a host that holds any of it is not one. */
const notInHosts = /[\s\p{Cc}/?#@\\%<>^`{|}]/u

const isName = (name: string): boolean =>
  name.length <= 253 && name.split(".").every((label) => label.length >= 1 && label.length <= 63)

const hostname = (authority: string): string | undefined => {
  const url = URL.parse(`http://${authority}/`)
  return url === null || url.port !== "" ? undefined : url.hostname
}

/**
 * The one spelling of a host, or undefined where it can't be meant: lower case, punycode, no dot at the end, IPv4 in four
 * decimals whatever it was written in (`0x7f.1`, `2130706433`, `127。0。0。1`), IPv6 compressed and without brackets.
 * Zones are refused: they name an interface of ours.
 */
export const normalHost = (spelled: string): string | undefined => {
  if (spelled.length === 0 || spelled.length > 1_024 || notInHosts.test(spelled)) return undefined
  const bare = spelled.startsWith("[") && spelled.endsWith("]") ? spelled.slice(1, -1) : spelled
  if (isIPv6(bare)) return hostname(`[${bare}]`)?.slice(1, -1)
  if (/[:[\]]/.test(spelled)) return undefined
  const host = hostname(spelled)?.replace(/\.$/, "")
  return host !== undefined && (isIPv4(host) || isName(host)) ? host : undefined
}

/** The host and port of `host:port` as CONNECT names them. The port is obligatory. */
export const parseAuthority = (authority: string): { readonly host: string; readonly port: number } | undefined => {
  const [, host, digits] = /^(.+):(\d{1,5})$/s.exec(authority) ?? []
  if (host === undefined || (host.includes(":") && !host.startsWith("["))) return undefined
  const normal = normalHost(host)
  const port = Number(digits)
  return normal === undefined || port < 1 || port > 65_535 ? undefined : { host: normal, port }
}

/** As it stands in a URL and in a Host header. */
export const formatHost = (host: string): string => (isIPv6(host) ? `[${host}]` : host)
