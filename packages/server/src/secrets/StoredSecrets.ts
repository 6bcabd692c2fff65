import type { McpServerDefinition } from "@troupe/domain/api/McpServers"
import type { ModelCardDefinition } from "@troupe/domain/api/ModelCards"
import { fromUuid, McpServerId, ModelCardId, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { Secret } from "@troupe/domain/runner/Attempt"
import { Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type EventStore, StoreUnavailable } from "../log/EventStore.ts"
import * as McpServers from "../mcpservers/McpServers.ts"
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

type ServerRow = Omit<CardRow, "name">

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

  /** Headers go to the origin that they are kept for, and to no other that a session may still know the server by. */
  const headers = Effect.fnUntraced(function* (workspaceId: WorkspaceId, servers: ReadonlyArray<JsonObject>) {
    const named = servers.flatMap((entry) => registeredOf(entry) ?? [])
    if (named.length === 0) return []
    const rows = yield* sql<ServerRow>`
      SELECT server_id AS id, definition::text AS definition, secret, secret_version AS version FROM mcp_servers
      WHERE workspace_id = ${toUuid(workspaceId)!} AND secret IS NOT NULL
        AND server_id = ANY(${named.map(({ uuid }) => uuid)}::uuid[])`
    const found = yield* Effect.forEach(
      named,
      Effect.fnUntraced(function* ({ name, url, uuid }) {
        const row = rows.find(({ id }) => id === uuid)
        const definition = row === undefined ? null : (JSON.parse(row.definition) as McpServerDefinition)
        if (row === undefined || definition === null) return []
        if (McpServers.originOf(definition) !== URL.parse(url)?.origin) return []
        const place = McpServers.secretPlace(McpServerId.make(fromUuid(prefixes.McpServer, uuid)))
        const value = (yield* open(place, row.secret)) ?? spoiled
        return [{ name: `mcp/${name}`, version: row.version, value } satisfies Secret]
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
      function* ({ sessionId, threadId, workspaceId }, name) {
        const agent = Setup.agentOf(yield* log.setup(sessionId), threadId)
        const models = [agent.model.id, ...(agent.auxModel === null ? [] : [agent.auxModel])]
        const all = yield* of(workspaceId, { models, mcpServers: agent.mcpServers })
        const found = all.find((secret) => secret.name === name)
        if (found !== undefined) return found
        return yield* new SecretRefused({ name, code: "unknown_secret", detail: "there is no secret of this name" })
      },
      (effect, _of, name) =>
        Effect.mapError(effect, (error) =>
          error._tag === "SecretRefused"
            ? error
            : new SecretRefused({ name, code: "unavailable", detail: "it can't be looked up now" })
        )
    )
  })
})

/** Cards of models and headers of MCP servers, as the workspace keeps them now. Others change them, so nothing is made anew here. */
export const layer: Layer.Layer<SecretSource, never, SqlClient.SqlClient | SecretBox | EventStore> = Layer.effect(
  SecretSource,
  make
).pipe(Layer.provide(SessionLog.layer))
