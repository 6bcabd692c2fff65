import { Price } from "@troupe/domain/models/Price"
import { variables } from "@troupe/domain/Variables"
import { Redacted, Schema } from "effect"
import { othersMayRead, ownFile } from "../secrets/ownFile.ts"

const Name = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9_-]{0,63}$/))
const Url = Schema.String.check(
  Schema.makeFilter((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    expected: "an http or https URL"
  })
)

/** How a provider of models is spoken to. */
export const ProviderConfig = Schema.Struct({
  name: Name,
  kind: Schema.Literals(["openai", "openai-chat", "azure", "anthropic", "module"]),
  baseUrl: Schema.optionalKey(Url),
  apiKey: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
  /** A file that holds the key, readable by its owner alone. */
  apiKeyFile: Schema.optionalKey(Schema.String),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** Azure's version of the interface. */
  apiVersion: Schema.optionalKey(Schema.String),
  /** A token of Azure's directory, in place of a key. */
  adToken: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
  /** Of a provider of one's own: a file that exports `make(config)`, which gives a `ModelClient`. */
  module: Schema.optionalKey(Schema.String),
  /** Takes any model's name that leads nowhere else. */
  fallback: Schema.optionalKey(Schema.Boolean),
  /** How long it may say nothing before an answer or in the middle of one. */
  silenceMs: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: 3_600_000 }))),
  models: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Struct({ contextTokens: Schema.Int, outputTokens: Schema.Int }))
  )
})
export type ProviderConfig = typeof ProviderConfig.Type

export const ModelsConfig = Schema.Struct({
  providers: Schema.Array(ProviderConfig),
  prices: Schema.optionalKey(Schema.Record(Schema.String, Price))
})
export type ModelsConfig = typeof ModelsConfig.Type

export class ModelsConfigInvalid extends Schema.TaggedError<ModelsConfigInvalid>()("ModelsConfigInvalid", {
  source: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.source} can't be used: ${this.detail}`
  }
}

const decode = Schema.decodeUnknownSync(ModelsConfig)

const holdsSecret = ({ adToken, apiKey, headers }: ProviderConfig): boolean =>
  adToken !== undefined || apiKey !== undefined || headers !== undefined

/** The file that configures providers. Where it holds keys itself, or headers that may be some, it is its owner's alone. */
export const readModelsFile = (file: string): ModelsConfig => {
  try {
    const { open, text } = ownFile(file)
    const config = decode(JSON.parse(text))
    if (open && config.providers.some(holdsSecret)) throw new Error(othersMayRead)
    return config
  } catch (cause) {
    // What a file may hold is secret, so its content is not in the error.
    const detail = cause instanceof SyntaxError ? "it is no JSON" : (cause as Error).message
    throw new ModelsConfigInvalid({ source: file, detail })
  }
}

/** The key of a provider, from its configuration or from its file; a file that others may read is refused. */
export const keyOf = ({ apiKey, apiKeyFile, name }: ProviderConfig): Redacted.Redacted | null => {
  if (apiKey !== undefined) return apiKey
  if (apiKeyFile === undefined) return null
  const refuse = (detail: string) => new ModelsConfigInvalid({ source: apiKeyFile, detail: `${detail} (for ${name})` })
  try {
    const { open, text } = ownFile(apiKeyFile)
    if (open) throw refuse(othersMayRead)
    return Redacted.make(text.trim())
  } catch (cause) {
    throw cause instanceof ModelsConfigInvalid ? cause : refuse((cause as Error).message)
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** The providers that the usual variables name. */
export const fromEnvironment = (environment: Environment): ReadonlyArray<ProviderConfig> => {
  const given = (name: string) => {
    const value = environment[name]
    return value === undefined || value === "" ? undefined : value
  }
  const providers: Array<ProviderConfig> = []
  const openai = given("OPENAI_API_KEY")
  const openaiUrl = given("OPENAI_BASE_URL")
  if (openai !== undefined || openaiUrl !== undefined) {
    providers.push({
      name: "openai",
      // Few servers but OpenAI's own speak Responses.
      kind: openaiUrl === undefined || new URL(openaiUrl).hostname.endsWith("openai.com") ? "openai" : "openai-chat",
      ...(openai === undefined ? {} : { apiKey: Redacted.make(openai) }),
      ...(openaiUrl === undefined ? {} : { baseUrl: openaiUrl, fallback: true })
    })
  }
  const anthropic = given("ANTHROPIC_API_KEY")
  const anthropicUrl = given("ANTHROPIC_BASE_URL")
  if (anthropic !== undefined) {
    providers.push({
      name: "anthropic",
      kind: "anthropic",
      apiKey: Redacted.make(anthropic),
      ...(anthropicUrl === undefined ? {} : { baseUrl: anthropicUrl })
    })
  }
  const azure = given("AZURE_OPENAI_ENDPOINT")
  const azureKey = given("AZURE_OPENAI_API_KEY")
  const azureToken = given("AZURE_OPENAI_AD_TOKEN")
  if (azure !== undefined && (azureKey !== undefined || azureToken !== undefined)) {
    providers.push({
      name: "azure",
      kind: "azure",
      baseUrl: azure,
      apiVersion:
        given("AZURE_OPENAI_API_VERSION") ?? given("OPENAI_API_VERSION") ?? variables.AZURE_OPENAI_API_VERSION.usual,
      ...(azureKey === undefined ? {} : { apiKey: Redacted.make(azureKey) }),
      ...(azureToken === undefined ? {} : { adToken: Redacted.make(azureToken) })
    })
  }
  return providers
}
