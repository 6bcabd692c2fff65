import { ApiFailure, conflict, invalid, notFound } from "@troupe/domain/api/ApiError"
import type {
  ModelCard,
  ModelCardCreate,
  ModelCardDefinition,
  ModelCardUpdate,
  Probe
} from "@troupe/domain/api/ModelCards"
import { timeOf } from "@troupe/domain/api/Page"
import { canonical } from "@troupe/domain/CanonicalJson"
import { fromUuid, ModelCardId, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import type { Place } from "../gateway/places.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import type { MasterKeyUnusable } from "../secrets/MasterKeys.ts"
import { SecretBox } from "../secrets/SecretBox.ts"
import { makeNotes } from "../workspace/WorkspaceNotes.ts"
import { type CardSecret, cardText, decodeSecret, encodeSecret, hintOf, secretPlace } from "./CardSecret.ts"

type Failure = ApiFailure | SqlError | MasterKeyUnusable

/** Models of a workspace with keys of their own. Each write is in the workspace's log too, without what is secret. */
export class ModelCards extends Context.Service<
  ModelCards,
  {
    readonly create: (input: ModelCardCreate) => Effect.Effect<ModelCard, Failure, Caller | Mint>
    readonly find: (workspaceId: WorkspaceId, cardId: ModelCardId) => Effect.Effect<ModelCard, ApiFailure | SqlError>
    readonly update: (cardId: ModelCardId, input: ModelCardUpdate) => Effect.Effect<ModelCard, Failure, Caller>
    readonly remove: (cardId: ModelCardId) => Effect.Effect<void, ApiFailure | SqlError, Caller>
    /** What a runner is told of it, secret and all. */
    readonly text: (workspaceId: WorkspaceId, cardId: ModelCardId) => Effect.Effect<Redacted.Redacted, Failure>
    /** What came of trying it; kept unless the card has changed meanwhile. */
    readonly probed: (card: ModelCard, probe: Probe) => Effect.Effect<ModelCard, ApiFailure | SqlError, Caller>
    /** The newest first. */
    readonly list: (
      workspaceId: WorkspaceId,
      options: { readonly after: Place | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<ModelCard>, SqlError>
    readonly names: (workspaceId: WorkspaceId) => Effect.Effect<ReadonlyArray<string>, SqlError>
  }
>()("server/ModelCards") {
  static readonly layer: Layer.Layer<ModelCards, never, SqlClient.SqlClient | WorkspaceLog | Minting | SecretBox> =
    Layer.effect(
      ModelCards,
      Effect.suspend(() => make)
    )
}

interface Row {
  readonly id: string
  readonly definition: string
  readonly secret: Uint8Array
  readonly keyHint: string | null
  readonly probe: string
  readonly createdAt: number
  readonly updatedAt: number
}

const idOf = (uuid: string) => ModelCardId.make(fromUuid(prefixes.ModelCard, uuid))
const definitionIn = (row: Row) => JSON.parse(row.definition) as ModelCardDefinition

const shown = (row: Row): ModelCard => ({
  id: idOf(row.id),
  type: "model_card",
  ...definitionIn(row),
  key_hint: row.keyHint,
  probe: JSON.parse(row.probe) as Probe,
  created_at: timeOf(row.createdAt),
  updated_at: timeOf(row.updatedAt)
})

const untried: Probe = {
  status: "not_probed",
  reason: "it was not tried yet",
  runner_id: null,
  model_listed: null,
  probed_at: null
}

const digestOf = (definition: ModelCardDefinition): string => hash("sha256", canonical(definition), "hex")

const checked = (definition: ModelCardDefinition, secret: CardSecret) => {
  const { base_url, context_tokens, output_tokens, provider } = definition
  const refuse = (message: string) => Effect.fail(invalid(message))
  if ((context_tokens === null) !== (output_tokens === null)) {
    return refuse("context_tokens: comes with output_tokens, or neither does")
  }
  if (provider === "azure" && base_url === null) return refuse("base_url: azure needs its endpoint")
  if (secret.adToken !== null && provider !== "azure") return refuse("ad_token: is of azure")
  if (secret.adToken !== null && secret.apiKey !== null) return refuse("ad_token: stands in the place of api_key")
  return Effect.succeed(definition)
}

const namesOf = ({ headers }: CardSecret) => Object.keys(headers).sort()

const either = <A>(given: A | undefined, before: A): A => (given === undefined ? before : given)

const secretAfter = (before: CardSecret, { ad_token, api_key, headers }: ModelCardUpdate): CardSecret => ({
  apiKey: either(api_key, before.apiKey),
  adToken: either(ad_token, before.adToken),
  headers: headers === undefined ? before.headers : (headers ?? {})
})

/** Whether something secret stays that was given for another address. */
const keeps = (secret: CardSecret, { ad_token, api_key, headers }: ModelCardUpdate): boolean =>
  (api_key === undefined && secret.apiKey !== null) ||
  (ad_token === undefined && secret.adToken !== null) ||
  (headers === undefined && namesOf(secret).length > 0)

const noSecret: CardSecret = { apiKey: null, adToken: null, headers: {} }

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const box = yield* SecretBox
  const note = yield* makeNotes

  const columns = sql.literal(`
    card_id AS id, definition::text AS definition, secret, key_hint AS "keyHint", probe::text AS probe,
    created_at::float8 AS "createdAt", updated_at::float8 AS "updatedAt"`)

  const rowOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, cardId: ModelCardId, holding = false) {
    const [row] = yield* sql<Row>`
      SELECT ${columns} FROM model_cards
      WHERE workspace_id = ${toUuid(workspaceId)!} AND card_id = ${toUuid(cardId)!}
      ${holding ? sql`FOR UPDATE` : sql``}`
    return row ?? (yield* notFound(`Model card ${cardId} was not found.`))
  })

  const find = Effect.fn("ModelCards.find")((workspaceId: WorkspaceId, cardId: ModelCardId) =>
    Effect.map(rowOf(workspaceId, cardId), shown)
  )

  const seal = (cardId: ModelCardId, secret: CardSecret) =>
    Effect.map(box.seal(secretPlace(cardId), Redacted.make(encodeSecret(secret))), (sealed) => Buffer.from(sealed))

  const open = (row: Row) =>
    box.open(secretPlace(idOf(row.id)), row.secret).pipe(
      Effect.map((text) => decodeSecret(Redacted.value(text))),
      Effect.catchTag("SecretSealed", (error) =>
        Effect.andThen(
          Effect.logError("A model card's key can't be opened", error),
          Effect.fail(new ApiFailure({ type: "api_error", message: "The card's key can't be opened: give it again" }))
        )
      )
    )

  const create = Effect.fn("ModelCards.create")(function* (input: ModelCardCreate) {
    const { actor, workspaceId } = yield* Caller
    const mint = yield* Mint
    const cardId = ModelCardId.make(mint("ModelCard"))
    const secret = secretAfter(noSecret, input)
    const { name } = input
    const definition = yield* checked(
      {
        name,
        provider: input.provider,
        model: input.model,
        base_url: input.base_url ?? null,
        api_version: input.api_version ?? null,
        context_tokens: input.context_tokens ?? null,
        output_tokens: input.output_tokens ?? null,
        price: input.price ?? null,
        header_names: namesOf(secret)
      },
      secret
    )
    const sealed = yield* seal(cardId, secret)
    const at = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const made = yield* sql`
          INSERT INTO model_cards
            (card_id, workspace_id, name, definition, secret, secret_version, key_hint, probe, created_at, updated_at)
          VALUES (${toUuid(cardId)!}, ${toUuid(workspaceId)!}, ${name}, ${JSON.stringify(definition)}::json, ${sealed},
            1, ${hintOf(secret)}, ${JSON.stringify(untried)}::json, ${at}, ${at})
          ON CONFLICT DO NOTHING RETURNING 1`
        if (made.length > 0) {
          yield* note(workspaceId, actor, { _tag: "ModelCardCreated", cardId, name, digest: digestOf(definition) })
          return
        }
        // The same request made it before, and its answer was lost; else another has the name.
        const [same] = yield* sql`SELECT FROM model_cards WHERE card_id = ${toUuid(cardId)!}`
        if (same === undefined) return yield* conflict(`There is a model card ${name} already`)
      })
    )
    return yield* find(workspaceId, cardId)
  })

  const update = Effect.fn("ModelCards.update")(function* (cardId: ModelCardId, input: ModelCardUpdate) {
    const { actor, workspaceId } = yield* Caller
    const at = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const row = yield* rowOf(workspaceId, cardId, true)
        const before = definitionIn(row)
        const { ad_token, api_key, headers } = input
        const names = { ad_token, api_key, headers }
        const secretChanged = Object.values(names).some((value) => value !== undefined)
        // Whoever gives all of it anew need not have what can't be opened any more.
        const isWhole = api_key !== undefined && headers !== undefined
        const secret = secretAfter(isWhole ? noSecret : yield* open(row), input)
        const definition = yield* checked(
          {
            name: before.name,
            provider: input.provider ?? before.provider,
            model: input.model ?? before.model,
            base_url: either(input.base_url, before.base_url),
            api_version: either(input.api_version, before.api_version),
            context_tokens: either(input.context_tokens, before.context_tokens),
            output_tokens: either(input.output_tokens, before.output_tokens),
            price: either(input.price, before.price),
            header_names: namesOf(secret)
          },
          secret
        )
        if (!secretChanged && canonical(definition) === canonical(before)) return shown(row)
        const movesAway = definition.base_url !== before.base_url || definition.provider !== before.provider
        if (movesAway && keeps(secret, input)) {
          return yield* invalid("base_url: no key or header is sent elsewhere: give them again with the new address")
        }
        yield* sql`
          UPDATE model_cards SET definition = ${JSON.stringify(definition)}::json, secret = ${yield* seal(cardId, secret)},
            secret_version = secret_version + 1, key_hint = ${hintOf(secret)}, probe = ${JSON.stringify(untried)}::json,
            updated_at = ${at}
          WHERE card_id = ${toUuid(cardId)!}`
        const facts = { cardId, name: before.name, digest: digestOf(definition), secretChanged }
        yield* note(workspaceId, actor, { _tag: "ModelCardUpdated", ...facts })
        return yield* find(workspaceId, cardId)
      })
    )
  })

  const remove = Effect.fn("ModelCards.remove")(function* (cardId: ModelCardId) {
    const { actor, workspaceId } = yield* Caller
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* rowOf(workspaceId, cardId, true)
        yield* sql`DELETE FROM model_cards WHERE card_id = ${toUuid(cardId)!}`
        yield* note(workspaceId, actor, { _tag: "ModelCardDeleted", cardId })
      })
    )
  })

  const text = Effect.fn("ModelCards.text")(function* (workspaceId: WorkspaceId, cardId: ModelCardId) {
    const row = yield* rowOf(workspaceId, cardId)
    return cardText(definitionIn(row), yield* open(row))
  })

  const probed = Effect.fn("ModelCards.probed")(function* (card: ModelCard, probe: Probe) {
    const { workspaceId } = yield* Caller
    yield* sql`
      UPDATE model_cards SET probe = ${JSON.stringify(probe)}::json
      WHERE card_id = ${toUuid(card.id)!} AND updated_at = ${Date.parse(card.updated_at)}`
    return yield* find(workspaceId, card.id)
  })

  const list: ModelCards["Service"]["list"] = Effect.fn("ModelCards.list")(function* (workspaceId, { after, limit }) {
    const below =
      after === null
        ? sql`true`
        : sql`(created_at, card_id) < (${after.createdAt}::bigint, ${toUuid(after.id) ?? null}::uuid)`
    const rows = yield* sql<Row>`
      SELECT ${columns} FROM model_cards WHERE workspace_id = ${toUuid(workspaceId)!} AND ${below}
      ORDER BY created_at DESC, card_id DESC LIMIT ${limit}`
    return rows.map(shown)
  })

  const names = Effect.fn("ModelCards.names")((workspaceId: WorkspaceId) =>
    Effect.map(
      sql<{ readonly name: string }>`SELECT name FROM model_cards WHERE workspace_id = ${toUuid(workspaceId)!}`,
      (rows) => rows.map(({ name }) => name)
    )
  )

  return ModelCards.of({ create, find, update, remove, text, probed, list, names })
})
