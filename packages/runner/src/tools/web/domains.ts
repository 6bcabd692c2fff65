import type { ToolConfig } from "@troupe/domain/tools/Toolset"

/** `example.com` also means what is below it, `*.example.com` only that; a path behind it means what begins so. */
const fits = (entry: string, url: URL): boolean => {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/.exec(entry.trim().toLowerCase()) ?? []
  const name = url.hostname.toLowerCase().replace(/\.$/, "")
  const isHost = host.startsWith("*.") ? name.endsWith(host.slice(1)) : name === host || name.endsWith(`.${host}`)
  return host !== "" && isHost && (path === "" || path === "/" || isPathBelow(url.pathname.toLowerCase(), path))
}

const isPathBelow = (path: string, above: string): boolean =>
  path === above || path.startsWith(above.endsWith("/") ? above : `${above}/`)

/** Why a page of this address is not for this agent; undefined where it is. */
export const domainRefusal = (
  { allowed_domains, blocked_domains }: Pick<ToolConfig, "allowed_domains" | "blocked_domains">,
  url: URL
): string | undefined => {
  if (allowed_domains !== undefined && !allowed_domains.some((entry) => fits(entry, url))) {
    return `${url.hostname} is not among the allowed domains: ${allowed_domains.join(", ")}`
  }
  const blocked = blocked_domains?.find((entry) => fits(entry, url))
  return blocked === undefined ? undefined : `${url.hostname} is a blocked domain (${blocked})`
}
