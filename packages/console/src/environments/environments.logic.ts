import type { Environment, EnvironmentCreate } from "@troupe/client"

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

/** What most environments are made of. The rest is edited as JSON. */
export interface EnvironmentDraft {
  readonly name: string
  readonly description: string
  readonly reach: "limited" | "unrestricted"
  readonly hosts: string
  readonly allowsPackages: boolean
  readonly allowsServers: boolean
}

/** Whether the form has a say in where programs may connect to. */
export const hasNetwork = (environment: Environment | null): boolean => environment?.config.type !== "self_hosted"

export const draftOf = (environment: Environment | null): EnvironmentDraft => {
  const config = environment?.config
  const networking = config?.type === "cloud" ? config.networking : undefined
  const limited = networking?.type === "limited" ? networking : undefined
  return {
    name: environment?.name ?? "",
    description: environment?.description ?? "",
    reach: networking?.type ?? "limited",
    hosts: limited?.allowed_hosts.join("\n") ?? "",
    allowsPackages: limited?.allow_package_managers ?? true,
    allowsServers: limited?.allow_mcp_servers ?? false
  }
}

/** A form as what is sent: nothing is said of what it does not show, which stays as it is. */
export const bodyOf = (draft: EnvironmentDraft, environment: Environment | null): EnvironmentCreate => {
  const { allowsPackages, allowsServers, hosts, reach } = draft
  const words = { name: draft.name.trim(), description: draft.description.trim() || null }
  if (!hasNetwork(environment)) return words
  const networking =
    reach === "unrestricted"
      ? ({ type: "unrestricted" } as const)
      : ({
          type: "limited",
          allowed_hosts: hostsOf(hosts),
          allow_mcp_servers: allowsServers,
          allow_package_managers: allowsPackages
        } as const)
  return { ...words, config: { type: "cloud", networking } }
}

/** The parts of an environment that people write, as one text. */
export const definitionOf = ({ config, description, metadata, name, scope, troupe }: Environment): string =>
  JSON.stringify({ name, description, config, metadata, scope, troupe }, null, 2)
