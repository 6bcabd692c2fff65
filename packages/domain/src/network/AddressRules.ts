import { Result, Schema } from "effect"
import { addressKind, type AddressKind, unmapped } from "./addresses.ts"
import { formatHost, parseAuthority } from "./hosts.ts"
import { EgressRefused } from "./Refusal.ts"

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What an installation says about addresses. It holds for every outbound request that is made for an agent. */
export interface AddressRules {
  /** Reachable although not public: registries on premise, servers of tests. */
  readonly alsoAllowed: ReadonlyArray<Endpoint>
  /** Our own nodes and databases. Never reachable, whatever else is said. */
  readonly ours: ReadonlyArray<Endpoint>
}

export class AddressRulesInvalid extends Schema.TaggedError<AddressRulesInvalid>()("AddressRulesInvalid", {
  entry: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.entry} can't be an allowed endpoint: ${this.detail}`
  }
}

/** Kinds that an installation may open by naming an endpoint. No configuration opens the others. */
const openable: ReadonlySet<AddressKind> = new Set(["public", "private", "shared", "loopback", "benchmark"])

const isLoopback = (host: string) =>
  host === "localhost" || host.endsWith(".localhost") || ["loopback", "unspecified"].includes(addressKind(host))

const noAddresses: ReadonlySet<string> = new Set()

/** All names and addresses of the loopback are one host, and with them this host's own addresses, where those are known. */
const isSame = (a: Endpoint, b: Endpoint, hostAddresses: ReadonlySet<string>) => {
  const isHost = ({ host }: Endpoint) => isLoopback(host) || hostAddresses.has(unmapped(host))
  return a.port === b.port && (unmapped(a.host) === unmapped(b.host) || (isHost(a) && isHost(b)))
}

const isOurs = (rules: AddressRules, endpoint: Endpoint, hostAddresses = noAddresses) =>
  rules.ours.some((own) => isSame(own, endpoint, hostAddresses))

const isNamed = (rules: AddressRules, { host, port }: Endpoint) =>
  rules.alsoAllowed.some((one) => one.port === port && unmapped(one.host) === unmapped(host))

const ownService = (endpoint: Endpoint) =>
  new EgressRefused({ code: "own_service", ...endpoint, detail: "it is a part of this installation" })

/** Whether the installation names this endpoint among those that are also allowed. */
export const isAlsoAllowed = (rules: AddressRules, endpoint: Endpoint): boolean =>
  !isOurs(rules, endpoint) && isNamed(rules, endpoint)

/** Rules from lists of `host:port`, as a configuration has them. */
export const addressRules = (lists: {
  readonly alsoAllowed?: ReadonlyArray<string>
  readonly ours?: ReadonlyArray<string>
}): Result.Result<AddressRules, AddressRulesInvalid> => {
  const rules: { alsoAllowed: Array<Endpoint>; ours: Array<Endpoint> } = { alsoAllowed: [], ours: [] }
  const invalid = (entry: string, detail: string) => Result.fail(new AddressRulesInvalid({ entry, detail }))
  for (const list of ["ours", "alsoAllowed"] as const) {
    for (const entry of lists[list] ?? []) {
      const endpoint = parseAuthority(entry)
      if (endpoint === undefined) return invalid(entry, "it is not host:port")
      rules[list].push(endpoint)
    }
  }
  for (const endpoint of rules.alsoAllowed) {
    const entry = `${formatHost(endpoint.host)}:${endpoint.port}`
    if (isOurs(rules, endpoint)) return invalid(entry, "it is a part of this installation")
    const kind = addressKind(endpoint.host)
    if (isAddress(endpoint.host) && !openable.has(kind)) return invalid(entry, `${kind} addresses are never opened`)
  }
  return Result.succeed(rules)
}

const isAddress = (host: string) => host.includes(":") || /^[\d.]+$/.test(host)

/** Names of our own services on a port: where they lead is ours as well, by whatever name it is asked for. */
export const ownNames = ({ ours }: AddressRules, port: number): ReadonlyArray<string> => [
  ...new Set(ours.flatMap((own) => (own.port === port && !isAddress(own.host) ? [own.host] : [])))
]

/** The rules, once it is known which addresses our own services have on a port. */
export const withOwnAddresses = (rules: AddressRules, port: number, addresses: ReadonlyArray<string>): AddressRules =>
  addresses.length === 0 ? rules : { ...rules, ours: [...rules.ours, ...addresses.map((host) => ({ host, port }))] }

/** Before a name is looked up: refuses what is ours by name. */
export const checkName = (rules: AddressRules, asked: Endpoint): Result.Result<void, EgressRefused> =>
  isOurs(rules, asked) ? Result.fail(ownService(asked)) : Result.void

/**
 * Whether a connection may go to `address`, which is what `asked` resolved to. `hostAddresses` are those of this host: a
 * public one of them leads behind the firewall, to services that only the host itself should reach.
 */
export const checkAddress = (
  rules: AddressRules,
  asked: Endpoint,
  address: string,
  hostAddresses: ReadonlySet<string>
): Result.Result<void, EgressRefused> => {
  const actual = { host: address, port: asked.port }
  if (isOurs(rules, asked) || isOurs(rules, actual, hostAddresses)) return Result.fail(ownService(asked))
  const kind = addressKind(address)
  const isHost = hostAddresses.has(unmapped(address))
  if (kind === "public" && !isHost) return Result.void
  if (openable.has(kind) && (isNamed(rules, asked) || isNamed(rules, actual))) return Result.void
  const what = kind === "public" ? "this host's own" : kind
  return Result.fail(
    new EgressRefused({
      code: "address_not_public",
      ...asked,
      detail: `${address} is not a public address (${what})`
    })
  )
}
