import type { Environment } from "@troupe/client"

/** Where programs of an environment may connect to, in a few words. */
export const networkOf = ({ config, troupe }: Environment): string => {
  if (troupe.offline) return "Offline"
  if (config.type === "self_hosted") return "Its own"
  if (config.networking.type === "unrestricted") return "Everywhere"
  const { allow_mcp_servers, allow_package_managers, allowed_hosts } = config.networking
  const parts = [
    ...(allowed_hosts.length === 0
      ? []
      : [allowed_hosts.length === 1 ? allowed_hosts[0]! : `${allowed_hosts.length} hosts`]),
    ...(allow_package_managers ? ["package registries"] : []),
    ...(allow_mcp_servers ? ["MCP servers"] : [])
  ]
  return parts.length === 0 ? "Nowhere" : parts.join(", ")
}

/** What is installed in it, in a few words. */
export const packagesOf = ({ config }: Environment): string => {
  if (config.type === "self_hosted") return "–"
  const { type: _, ...managers } = config.packages
  const parts = Object.entries(managers).flatMap(([manager, list]) =>
    list.length === 0 ? [] : [`${list.length} ${manager}`]
  )
  return parts.length === 0 ? "–" : parts.join(", ")
}

/** Hosts as people write them into a form: apart by spaces, commas or lines. */
export const hostsOf = (text: string): ReadonlyArray<string> => text.split(/[\s,]+/).filter((host) => host !== "")
