import type { McpServerDefinition } from "@troupe/domain/api/McpServers"
import type { ModelCardDefinition } from "@troupe/domain/api/ModelCards"
import { fromUuid, McpServerId, ModelCardId, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { Secret } from "@troupe/domain/runner/Attempt"
import { Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type EventStore, StoreUnavailable } from "../log/EventStore.ts"
import * as McpServers from "../mcpservers/McpServers.ts"
import { tokensPlace } from "../mcpservers/oauth/AuthorizationRows.ts"
import { McpTokens } from "../mcpservers/oauth/McpTokens.ts"
import type { OAuthState } from "../mcpservers/oauth/OAuthClient.ts"
import * as CardSecret from "../modelcards/CardSecret.ts"
import { SessionLog } from "../runners/SessionLog.ts"
import { type SecretNeeds, SecretRefused, SecretSource } from "../runners/SecretSource.ts"
import * as Setup from "../runners/Setup.ts"
import { SecretBox } from "./SecretBox.ts"

interface CardRow {
  readonly id: string
  readonly name: string
  readonly definition: string
  readonly secret: Uint8Array
  readonly version: number
}

interface ServerRow {
  readonly id: string
  readonly definition: string
  /** The headers, if there are any. */
  readonly secret: Uint8Array | null
  readonly version: number
  /** Tokens that somebody got by logging in, if anybody did. */
  readonly tokens: Uint8Array | null
}

interface KeptHeaders {
  readonly headers: Readonly<Record<string, string>>
}

/** Runners read this as a card, or as headers, that can't be read: they say so, and go nowhere else instead. */
const spoiled = Redacted.make("{}")

/** The server of the workspace's list that an entry came from, if it did. */
const registeredOf = (entry: JsonObject) => {
  const options = entry["troupe"]
  const id = typeof options === "object" && options !== null ? (options as JsonObject)["server_id"] : undefined
  const uuid = typeof id === "string" && id.startsWith(`${prefixes.McpServer}_`) ? toUuid(id) : undefined
  const { name, url } = entry
  return uuid === undefined || typeof name !== "string" || typeof url !== "string" ? null : { uuid, name, url }
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const box = yield* SecretBox
  const log = yield* SessionLog
  const tokens = yield* McpTokens

  const open = (place: string, sealed: Uint8Array) =>
    Effect.catch(box.open(place, sealed), (error) =>
      Effect.as(Effect.logError("A stored secret can't be opened", error), null)
    )

  const cards = Effect.fnUntraced(function* (workspaceId: WorkspaceId, models: ReadonlyArray<string>) {
    const rows = yield* sql<CardRow>`
      SELECT card_id AS id, name, definition::text AS definition, secret, secret_version AS version FROM model_cards
      WHERE workspace_id = ${toUuid(workspaceId)!} AND name = ANY(${[...new Set(models)]}::text[])`
    return yield* Effect.forEach(
      rows,
      Effect.fnUntraced(function* ({ definition, id, name, secret, version }) {
        const opened = yield* open(CardSecret.secretPlace(ModelCardId.make(fromUuid(prefixes.ModelCard, id))), secret)
        const value =
          opened === null
            ? spoiled
            : CardSecret.cardText(
                JSON.parse(definition) as ModelCardDefinition,
                CardSecret.decodeSecret(Redacted.value(opened))
              )
        return { name: `model/${name}`, version, value } satisfies Secret
      })
    )
  })

  /** The access token alone: what it is renewed with stays here. */
  const tokenOf = Effect.fnUntraced(function* (serverId: McpServerId, url: string, sealed: Uint8Array) {
    const opened = yield* open(tokensPlace(serverId), sealed)
    const state = opened === null ? null : (JSON.parse(Redacted.value(opened)) as OAuthState)
    return state === null || state.url !== new URL(url).href ? null : (state.tokens ?? null)
  })

  /** What a server is sent: the headers of the list, and the token of whoever logged in. */
  const sentTo = Effect.fnUntraced(function* (row: ServerRow, serverId: McpServerId, url: string) {
    const token = row.tokens === null ? null : yield* tokenOf(serverId, url, row.tokens)
    const kept = row.secret === null ? null : ((yield* open(McpServers.secretPlace(serverId), row.secret)) ?? spoiled)
    if (token === null) return kept
    const { headers } = kept === null ? { headers: {} } : (JSON.parse(Redacted.value(kept)) as Partial<KeptHeaders>)
    const { access_token, scope } = token
    const own = Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() !== "authorization")
    const sent = { ...Object.fromEntries(own), Authorization: `Bearer ${access_token}` }
    return Redacted.make(JSON.stringify({ headers: sent, ...(scope === undefined ? {} : { scope }) }))
  })

  /** Headers go to the origin that they are kept for, and to no other that a session may still know the server by. */
  const headers = Effect.fnUntraced(function* (workspaceId: WorkspaceId, servers: ReadonlyArray<JsonObject>) {
    const named = servers.flatMap((entry) => registeredOf(entry) ?? [])
    if (named.length === 0) return []
    const rows = yield* sql<ServerRow>`
      SELECT s.server_id AS id, s.definition::text AS definition, s.secret, s.secret_version AS version,
        a.secret AS tokens
      FROM mcp_servers AS s LEFT JOIN mcp_authorizations AS a ON a.server_id = s.server_id
      WHERE s.workspace_id = ${toUuid(workspaceId)!} AND (s.secret IS NOT NULL OR a.secret IS NOT NULL)
        AND s.server_id = ANY(${named.map(({ uuid }) => uuid)}::uuid[])`
    const found = yield* Effect.forEach(
      named,
      Effect.fnUntraced(function* ({ name, url, uuid }) {
        const row = rows.find(({ id }) => id === uuid)
        const definition = row === undefined ? null : (JSON.parse(row.definition) as McpServerDefinition)
        if (row === undefined || definition === null) return []
        if (McpServers.originOf(definition) !== URL.parse(url)?.origin) return []
        const value = yield* sentTo(row, McpServerId.make(fromUuid(prefixes.McpServer, uuid)), url)
        return value === null ? [] : [{ name: `mcp/${name}`, version: row.version, value } satisfies Secret]
      })
    )
    return found.flat()
  })

  const of = (workspaceId: WorkspaceId, { mcpServers, models }: SecretNeeds) =>
    Effect.all([cards(workspaceId, models), headers(workspaceId, mcpServers)], { concurrency: "unbounded" }).pipe(
      Effect.map((both): ReadonlyArray<Secret> => both.flat()),
      Effect.mapError((cause) => new StoreUnavailable({ operation: "secrets", cause }))
    )

  return SecretSource.of({
    all: Effect.fn("StoredSecrets.all")(({ workspaceId }, needs) => of(workspaceId, needs)),
    refresh: Effect.fn("StoredSecrets.refresh")(
      function* ({ sessionId, threadId, workspaceId }, name, version) {
        const agent = Setup.agentOf(yield* log.setup(sessionId), threadId)
        const models = [agent.model.id, ...(agent.auxModel === null ? [] : [agent.auxModel])]
        const registered = agent.mcpServers
          .map(registeredOf)
          .find((entry) => entry !== null && name === `mcp/${entry.name}`)
        if (registered != null) {
          yield* tokens.renew(workspaceId, McpServerId.make(fromUuid(prefixes.McpServer, registered.uuid)), version)
        }
        const all = yield* of(workspaceId, { models, mcpServers: agent.mcpServers })
        const found = all.find((secret) => secret.name === name)
        if (found !== undefined) return found
        return yield* new SecretRefused({ name, code: "unknown_secret", detail: "there is no secret of this name" })
      },
      (effect, _of, name, _version) =>
        Effect.mapError(effect, (error) =>
          error._tag === "SecretRefused"
            ? error
            : new SecretRefused({ name, code: "unavailable", detail: "it can't be looked up now" })
        )
    )
  })
})

/** Cards of models, and headers and tokens for MCP servers, as the workspace keeps them now. Tokens alone are made anew here. */
export const layer: Layer.Layer<SecretSource, never, SqlClient.SqlClient | SecretBox | EventStore | McpTokens> =
  Layer.effect(SecretSource, make).pipe(Layer.provide(SessionLog.layer))
