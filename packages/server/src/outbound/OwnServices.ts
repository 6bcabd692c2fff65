import { addressKind } from "@troupe/domain/network/addresses"
import { type AddressRules, type AddressRulesInvalid, addressRules } from "@troupe/domain/network/AddressRules"
import { formatHost, normalHost, parseAuthority } from "@troupe/domain/network/hosts"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { networkInterfaces } from "node:os"
import type { ListenAddress, NodeConfig } from "../Config.ts"
import { Database } from "../postgres/Database.ts"

type Told = Pick<NodeConfig, "egressAllow" | "gateway" | "nodeAddress" | "publicUrl">

const addressesOfHost = () =>
  Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address))

/** All addresses of this host, where all are listened on. A port that is not known yet is none that somebody could name. */
const listening = ({ host, port }: ListenAddress): ReadonlyArray<string> => {
  if (port === 0) return []
  const hosts = addressKind(host) === "unspecified" ? [host, ...addressesOfHost()] : [host]
  return hosts.flatMap((one) => (one.includes("%") ? [] : [`${formatHost(one)}:${port}`]))
}

const usualPorts: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 }

/** A database behind a socket file has no host. */
const reached = (text: string, usual = 5_432) => {
  const url = URL.parse(text)
  const host = url === null ? undefined : normalHost(url.hostname)
  if (url === null || host === undefined) return []
  return [`${formatHost(host)}:${url.port === "" ? (usualPorts[url.protocol] ?? usual) : url.port}`]
}

/** What this node asks nothing of, whoever wants it to, and what no sandbox reaches: itself, its like, and their database. */
export class OwnServices extends Context.Service<
  OwnServices,
  {
    /** For this node's own requests. What is ours stays closed where the list that runners share with it opens it for them. */
    readonly rules: AddressRules
    /** For runners, as `host:port`. `at` is where this one found the node. */
    readonly told: (at: ListenAddress) => Effect.Effect<ReadonlyArray<string>>
  }
>()("server/OwnServices") {
  static readonly layer = (
    config: Told
  ): Layer.Layer<OwnServices, AddressRulesInvalid, Database | SqlClient.SqlClient> =>
    Layer.effect(OwnServices, make(config))
}

const make = Effect.fnUntraced(function* (config: Told) {
  const { appUrl, ownerUrl } = yield* Database
  const sql = yield* SqlClient.SqlClient
  const known = [
    ...listening(config.gateway),
    ...listening(config.nodeAddress),
    ...Option.match(config.publicUrl, { onNone: () => [], onSome: (url) => reached(url) }),
    ...[appUrl, ownerUrl].flatMap((url) => reached(Redacted.value(url)))
  ]
  const { alsoAllowed } = yield* Effect.fromResult(addressRules({ alsoAllowed: config.egressAllow }))
  const { ours } = yield* Effect.fromResult(addressRules({ ours: known }))

  const told = Effect.fnUntraced(function* ({ host, port }: ListenAddress) {
    const rows = yield* Effect.orElseSucceed(sql<{ address: string }>`SELECT address FROM nodes`, () => [])
    // The nodes of an installation are one image: what one listens on for the public, so do the others.
    const others = rows.flatMap(({ address }) => {
      const node = parseAuthority(address)
      return node === undefined ? [] : [address, ...listening({ host: node.host, port })]
    })
    return [
      ...new Set([...known, ...listening({ host: config.gateway.host, port }), ...listening({ host, port }), ...others])
    ]
  })

  return OwnServices.of({ rules: { alsoAllowed, ours }, told })
})
