import type { ModelCardDefinition } from "@troupe/domain/api/ModelCards"
import { priceIn } from "@troupe/domain/api/Prices"
import type { ModelCardId } from "@troupe/domain/Ids"
import { Redacted, Schema } from "effect"

/** What of a card is secret, as it is sealed. */
export const CardSecret = Schema.Struct({
  apiKey: Schema.NullOr(Schema.String),
  adToken: Schema.NullOr(Schema.String),
  headers: Schema.Record(Schema.String, Schema.String)
})
export type CardSecret = typeof CardSecret.Type

export const encodeSecret = Schema.encodeSync(Schema.fromJsonString(CardSecret))
export const decodeSecret = Schema.decodeUnknownSync(Schema.fromJsonString(CardSecret))

/** Where the sealed secret of a card belongs. */
export const secretPlace = (cardId: ModelCardId): string => `model card ${cardId}`

/** A key that short would be half shown by its end. */
const shownFrom = 12

export const hintOf = ({ adToken, apiKey }: CardSecret): string | null => {
  const key = apiKey ?? adToken
  return key === null || key.length < shownFrom ? null : key.slice(-4)
}

/** A card as runners read it: a provider of its own name, and the model there. */
export const cardText = (definition: ModelCardDefinition, secret: CardSecret): Redacted.Redacted => {
  const { api_version, base_url, context_tokens, model, name, output_tokens, price, provider } = definition
  const facts = { contextTokens: context_tokens, outputTokens: output_tokens }
  return Redacted.make(
    JSON.stringify({
      provider: {
        name,
        kind: provider,
        ...(base_url === null ? {} : { baseUrl: base_url }),
        ...(api_version === null ? {} : { apiVersion: api_version }),
        ...(secret.apiKey === null ? {} : { apiKey: secret.apiKey }),
        ...(secret.adToken === null ? {} : { adToken: secret.adToken }),
        ...(Object.keys(secret.headers).length === 0 ? {} : { headers: secret.headers }),
        ...(context_tokens === null ? {} : { models: { [model]: facts } })
      },
      model,
      ...(price === null ? {} : { price: priceIn(price) })
    })
  )
}
