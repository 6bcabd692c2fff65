import { type AddressRules, type AddressRulesInvalid, addressRules } from "@troupe/domain/network/AddressRules"
import { formatHost, normalHost } from "@troupe/domain/network/hosts"
import { Effect, Option, Redacted, Result } from "effect"
import type { ListenAddress, NodeConfig } from "../Config.ts"

type Told = Pick<NodeConfig, "databaseUrl" | "egressAllow" | "gateway" | "nodeAddress" | "publicUrl">

/** A port that is not known before it is listened at is none that somebody could name. */
const listening = ({ host, port }: ListenAddress) => (port === 0 ? [] : [`${formatHost(host)}:${port}`])

const usualPorts: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 }

/** A database behind a socket file has no host. */
const reached = (text: string, usual = 5_432) => {
  const url = URL.parse(text)
  const host = url === null ? undefined : normalHost(url.hostname)
  if (url === null || host === undefined) return []
  return [`${formatHost(host)}:${url.port === "" ? (usualPorts[url.protocol] ?? usual) : url.port}`]
}

/**
 * What this node asks nothing of, whoever wants it to, is itself and its database; also where the list that runners share
 * with it opens that for what they run.
 */
export const outboundRules = (config: Told): Effect.Effect<AddressRules, AddressRulesInvalid> => {
  const ours = [
    ...listening(config.gateway),
    ...listening(config.nodeAddress),
    ...Option.match(config.publicUrl, { onNone: () => [], onSome: (url) => reached(url) }),
    ...Option.match(config.databaseUrl, { onNone: () => [], onSome: (url) => reached(Redacted.value(url)) })
  ]
  return Effect.fromResult(
    Result.flatMap(addressRules({ alsoAllowed: config.egressAllow }), ({ alsoAllowed }) =>
      Result.map(addressRules({ ours }), (own) => ({ alsoAllowed, ours: own.ours }))
    )
  )
}
