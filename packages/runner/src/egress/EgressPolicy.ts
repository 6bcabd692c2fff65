import type { NetworkPolicy } from "@troupe/domain/environment/EnvironmentConfig"
import { Result } from "effect"
import { type AddressRules, type Endpoint, isAlsoAllowed } from "@troupe/domain/network/AddressRules"
import { normalHost } from "@troupe/domain/network/hosts"
import { packageHosts } from "./packageHosts.ts"
import { EgressRefused, type RefusalCode } from "@troupe/domain/network/Refusal"

export interface EgressGrant {
  readonly policy: NetworkPolicy
  /** The MCP servers of the session. They count where the policy allows them. */
  readonly mcpHosts: ReadonlyArray<Endpoint>
  readonly rules: AddressRules
}

/**
 * A list of hosts is a list of web hosts: the same machine's SSH, database or mail is another service, which nobody
 * thought of. MCP servers and endpoints that the installation names bring their ports along.
 */
const webPorts: ReadonlySet<number> = new Set([80, 443])
/** Mail between servers: from a sandbox, it would be spam. */
const mailPort = 25

/** Whether a name is `pattern`, or below it where it begins with `*.`; the name itself is not below it. */
const matcher = (patterns: ReadonlyArray<string>) => {
  const exact = new Set<string>()
  const parents = new Set<string>()
  for (const pattern of patterns) {
    const isWildcard = pattern.startsWith("*.")
    const host = normalHost(isWildcard ? pattern.slice(2) : pattern)
    if (host !== undefined) (isWildcard ? parents : exact).add(host)
  }
  return (host: string): boolean => {
    if (exact.has(host)) return true
    for (let dot = host.indexOf("."); dot !== -1; dot = host.indexOf(".", dot + 1)) {
      if (parents.has(host.slice(dot + 1))) return true
    }
    return false
  }
}

const packageMatch = matcher(Object.values(packageHosts).flat())

/** Whether a sandbox may ask for this endpoint. Where it leads is checked again, by address, when it is known. */
export type Decide = (asked: Endpoint) => Result.Result<void, EgressRefused>

const refuse = (code: RefusalCode, asked: Endpoint, detail: string) =>
  Result.fail(new EgressRefused({ code, ...asked, detail }))

const limited = (grant: EgressGrant, policy: Extract<NetworkPolicy, { type: "limited" }>): Decide => {
  const isListed = matcher(policy.allowedHosts)
  const mcp = policy.allowMcpServers ? grant.mcpHosts : []
  return (asked) => {
    if (mcp.some(({ host, port }) => host === asked.host && port === asked.port)) return Result.void
    if (!isListed(asked.host) && !(policy.allowPackageManagers && packageMatch(asked.host))) {
      return refuse("host_not_allowed", asked, "the environment's network policy does not list this host")
    }
    return webPorts.has(asked.port) || isAlsoAllowed(grant.rules, asked)
      ? Result.void
      : refuse("port_not_allowed", asked, "hosts of a limited network are reached on ports 80 and 443")
  }
}

/** The policy as a function; made once for each sandbox. */
export const egressPolicy = (given: EgressGrant): Decide => {
  const grant = {
    ...given,
    mcpHosts: given.mcpHosts.flatMap(({ host, port }) => {
      const normal = normalHost(host)
      return normal === undefined ? [] : [{ host: normal, port }]
    })
  }
  const { policy } = grant
  const allows: Decide =
    policy.type === "none"
      ? (asked) => refuse("network_off", asked, "the environment has no network")
      : policy.type === "limited"
        ? limited(grant, policy)
        : () => Result.void
  return (asked) =>
    asked.port === mailPort ? refuse("mail_not_allowed", asked, "mail is not sent from sandboxes") : allows(asked)
}
