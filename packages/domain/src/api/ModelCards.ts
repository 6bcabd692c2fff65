import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { ModelCardId, RunnerId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"
import { HttpUrl } from "./McpServers.ts"
import { Page, pageQuery } from "./Page.ts"
import { PriceShown } from "./Prices.ts"
import { SecretHeaders } from "./SecretHeaders.ts"

const nullish = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** What agents write as their model. It is the provider's name in the log, so it has the shape of one. */
export const CardName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_-]{0,63}$/),
  Schema.makeFilter((name: string) => name !== "demo", { expected: "another name than demo" })
)
export const cardProviders = ["openai", "openai-chat", "azure", "anthropic"] as const
const Provider = Schema.Literals(cardProviders)
const Key = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,8192}$/))
const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))

const settings = {
  provider: Provider,
  /** As the provider knows it. */
  model: Name(256),
  base_url: Schema.NullOr(HttpUrl),
  api_version: Schema.NullOr(Name(64)),
  context_tokens: Schema.NullOr(Tokens),
  output_tokens: Schema.NullOr(Tokens),
  price: Schema.NullOr(PriceShown)
}

export const ModelCardDefinition = Schema.Struct({
  name: Schema.String,
  ...settings,
  header_names: Schema.Array(Schema.String)
})
export type ModelCardDefinition = typeof ModelCardDefinition.Type

/** What came of trying a card on a runner. */
export const Probe = Schema.Struct({
  status: Schema.Literals(["usable", "unusable", "not_probed"]),
  reason: Schema.NullOr(Schema.String),
  runner_id: Schema.NullOr(RunnerId),
  /** Whether the provider lists the model; null where it lists none. */
  model_listed: Schema.NullOr(Schema.Boolean),
  probed_at: Schema.NullOr(Schema.String)
})
export type Probe = typeof Probe.Type

/** A model of the workspace, with its own key. */
export const ModelCard = Schema.Struct({
  id: ModelCardId,
  type: Schema.Literal("model_card"),
  ...ModelCardDefinition.fields,
  /** The last four characters of the key; null where there is none, or where it is too short to show any of it. */
  key_hint: Schema.NullOr(Schema.String),
  probe: Probe,
  created_at: Schema.String,
  updated_at: Schema.String
}).annotate({ identifier: "ModelCard" })
export type ModelCard = typeof ModelCard.Type

const secrets = {
  api_key: nullish(Key),
  /** A token of Azure's directory, in place of a key. */
  ad_token: nullish(Key),
  headers: nullish(SecretHeaders)
}

export const ModelCardCreate = Schema.Struct({
  name: CardName,
  provider: Provider,
  model: Name(256),
  base_url: nullish(HttpUrl),
  api_version: nullish(Name(64)),
  context_tokens: nullish(Tokens),
  output_tokens: nullish(Tokens),
  price: nullish(PriceShown),
  ...secrets
})
export type ModelCardCreate = typeof ModelCardCreate.Type

const { name: _, ...changeable } = ModelCardCreate.fields
/** What is named is replaced, the rest stays. The name stays: agents know the card by it. */
export const ModelCardUpdate = Schema.Struct({
  ...changeable,
  provider: Schema.optionalKey(Provider),
  model: Schema.optionalKey(Name(256))
})
export type ModelCardUpdate = typeof ModelCardUpdate.Type

const one = { id: ModelCardId }

export const create = HttpApiEndpoint.post("createModelCard", "/v1/model_cards", {
  payload: ModelCardCreate,
  success: ModelCard,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listModelCards", "/v1/model_cards", {
  query: pageQuery,
  success: Page(ModelCard),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveModelCard", "/v1/model_cards/:id", {
  params: one,
  success: ModelCard,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateModelCard", "/v1/model_cards/:id", {
  params: one,
  payload: ModelCardUpdate,
  success: ModelCard,
  error: anyFailure
})
export const probe = HttpApiEndpoint.post("probeModelCard", "/v1/model_cards/:id/probe", {
  params: one,
  success: ModelCard,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteModelCard", "/v1/model_cards/:id", {
  params: one,
  success: Schema.Struct({ id: ModelCardId, type: Schema.Literal("model_card_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("model_cards").add(create, list, retrieve, update, probe, remove)
