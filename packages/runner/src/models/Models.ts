import { type ModelName, route } from "@troupe/domain/models/ModelName"
import { fastListPrices, listPrices } from "@troupe/domain/models/listPrices"
import { firstPrice, Price, type PriceTable } from "@troupe/domain/models/Price"
import type { Capability } from "@troupe/domain/runner/Hello"
import type { ErrorInfo } from "@troupe/domain/session/Status"
import { Context, Effect, Layer, Redacted, Result, Schema } from "effect"
import { pathToFileURL } from "node:url"
import * as AnthropicModel from "./anthropic/AnthropicModel.ts"
import * as DemoModel from "./demo/DemoModel.ts"
import type { ModelClient, ModelProbe } from "./ModelClient.ts"
import * as OpenAiModel from "./openai/OpenAiModel.ts"
import { keyOf, type ModelsConfig, ModelsConfigInvalid, ProviderConfig } from "./ProviderConfig.ts"

/** How long a provider may say nothing before an answer or in the middle of one. Models that think say nothing meanwhile. */
const usualSilenceMs = 300_000
/** A node that greets a runner waits ten seconds for its answer. */
const probeMs = 6_000

const withFacts = (client: ModelClient, models: ProviderConfig["models"] = {}): ModelClient => ({
  ...client,
  facts: (model) => models[model] ?? client.facts(model)
})

const own = async (config: ProviderConfig): Promise<ModelClient> => {
  const invalid = (detail: string) => new ModelsConfigInvalid({ source: config.module ?? config.name, detail })
  if (config.module === undefined) throw invalid("a provider of kind module names a module")
  const { make } = (await import(pathToFileURL(config.module).href)) as { readonly make?: unknown }
  if (typeof make !== "function") throw invalid("it exports no function make")
  const client = (await make(config)) as Partial<ModelClient> | undefined
  if (typeof client?.stream !== "function" || typeof client.facts !== "function" || client.probe === undefined) {
    throw invalid("what make gives is no ModelClient: it needs provider, probe, facts and stream")
  }
  return { ...(client as ModelClient), provider: config.name }
}

const clientOf = async (config: ProviderConfig): Promise<ModelClient> => {
  const { adToken, apiVersion, baseUrl = null, headers = {}, kind, name: provider, silenceMs = usualSilenceMs } = config
  const apiKey = keyOf(config)
  const common = { provider, apiKey, baseUrl, headers, silenceMs }
  switch (kind) {
    case "openai":
      return OpenAiModel.makeResponses(common)
    case "openai-chat":
      return OpenAiModel.makeChat(common)
    case "azure": {
      const token = adToken === undefined ? null : () => Promise.resolve(Redacted.value(adToken))
      const azure = { endpoint: baseUrl ?? "", apiVersion: apiVersion ?? "2025-04-01-preview", token }
      return OpenAiModel.makeResponses({ ...common, azure })
    }
    case "anthropic":
      return AnthropicModel.make({
        ...common,
        apiKey: apiKey ?? Redacted.make("none"),
        outputTokens: (model) => config.models?.[model]?.outputTokens
      })
    case "module":
      return own(config)
  }
}

const connect = (config: ProviderConfig): Effect.Effect<ModelClient, ModelsConfigInvalid> =>
  Effect.map(
    Effect.tryPromise({
      try: () => clientOf(config),
      catch: (cause) =>
        cause instanceof ModelsConfigInvalid
          ? cause
          : new ModelsConfigInvalid({ source: config.name, detail: (cause as Error).message })
    }),
    (client) => withFacts(client, config.models)
  )

const probeWithin = (client: ModelClient): Effect.Effect<ModelProbe> =>
  Effect.timeoutOrElse(client.probe, {
    duration: probeMs,
    orElse: () => Effect.succeed({ usable: false, notes: [`no answer within ${probeMs} ms`], models: [] })
  })

const probed = (client: ModelClient): Effect.Effect<Capability> =>
  probeWithin(client).pipe(
    Effect.map(({ models, notes, usable }) => ({
      name: client.provider,
      version: null,
      usable,
      notes,
      details: { models: models.slice(0, 200) }
    }))
  )

const decodeCard = Schema.decodeUnknownResult(
  Schema.fromJsonString(
    Schema.Struct({ provider: ProviderConfig, model: Schema.String, price: Schema.optionalKey(Price) })
  )
)

/** The secret of a run that holds the card of this name: how to reach a model, with its key. */
export const cardSecret = (name: string) => `model/${name}`

export interface Chosen {
  readonly client: ModelClient
  readonly model: string
  /** Null where nobody knows it. */
  readonly price: Price | null
  /** The same for what it does at a higher speed. */
  readonly fastPrice: Price | null
}

/** The models that this runner reaches. */
export class Models extends Context.Service<
  Models,
  {
    /** What each provider is good for now, found out by asking it. */
    readonly probe: Effect.Effect<ReadonlyArray<Capability>>
    /**
     * The model of this name; a card that came with the run goes before the runner's own providers. Its price is the card's,
     * else the run's, else the runner's own, else the list price.
     */
    readonly choose: (
      name: string,
      secret: (name: string) => Effect.Effect<string | null>,
      prices?: PriceTable
    ) => Effect.Effect<Result.Result<Chosen, ErrorInfo>>
    /** What the provider of a card is good for now, found out by asking it. */
    readonly probeCard: (card: Redacted.Redacted) => Effect.Effect<ModelProbe>
  }
>()("runner/Models") {
  static readonly layer = (config: ModelsConfig): Layer.Layer<Models, ModelsConfigInvalid> =>
    Layer.effect(Models, make(config))
}

const refusal = (code: string, message: string): Result.Result<never, ErrorInfo> => Result.fail({ code, message })

const readsHost = ({ apiKeyFile, kind, module }: ProviderConfig): boolean =>
  kind === "module" || module !== undefined || apiKeyFile !== undefined

const make = Effect.fnUntraced(function* (config: ModelsConfig) {
  const names = new Set<string>()
  for (const { name } of config.providers) {
    if (names.has(name) || name === "demo") {
      return yield* new ModelsConfigInvalid({ source: name, detail: "there is a provider of this name already" })
    }
    names.add(name)
  }
  const clients = new Map<string, ModelClient>([["demo", DemoModel.make({ paceMs: 15 })]])
  for (const provider of config.providers) clients.set(provider.name, yield* connect(provider))
  const fallback = config.providers.find((provider) => provider.fallback === true)?.name ?? null

  const priced = (model: string, prices: PriceTable = {}): Pick<Chosen, "price" | "fastPrice"> => {
    const ours = [prices, config.prices ?? {}]
    // A table of ours says what a model costs, whatever its speed; a maker's list has a price for each.
    return {
      price: firstPrice([...ours, listPrices], model),
      fastPrice: firstPrice([...ours, fastListPrices], model)
    }
  }

  const fromCard = Effect.fnUntraced(function* (name: string, card: string, prices?: PriceTable) {
    const decoded = decodeCard(card)
    // What comes from elsewhere names no files of this host.
    if (Result.isFailure(decoded) || readsHost(decoded.success.provider)) {
      return refusal("model_card_invalid", `The card of ${name} can't be read`)
    }
    const { model, price, provider } = decoded.success
    const client = yield* Effect.result(connect(provider))
    if (Result.isFailure(client)) return refusal("model_card_invalid", client.failure.message)
    const given = price === undefined ? priced(model, prices) : { price, fastPrice: price }
    return Result.succeed<Chosen>({ client: client.success, model, ...given })
  })

  const own = ({ model, provider }: ModelName, prices?: PriceTable): Result.Result<Chosen, ErrorInfo> => {
    const client = clients.get(provider)
    return client === undefined
      ? refusal("model_unknown", `This runner has no provider ${provider}`)
      : Result.succeed({ client, model, ...priced(model, prices) })
  }

  return Models.of({
    probe: Effect.forEach([...clients.values()], probed, { concurrency: "unbounded" }),
    choose: Effect.fn("Models.choose")(function* (name, secret, prices) {
      const card = yield* secret(cardSecret(name))
      if (card !== null) return yield* fromCard(name, card, prices)
      const routed = route(name, [...clients.keys()], fallback)
      return Result.isFailure(routed) ? refusal("model_unknown", routed.failure.message) : own(routed.success, prices)
    }),
    probeCard: Effect.fn("Models.probeCard")(function* (card) {
      const chosen = yield* fromCard("the workspace", Redacted.value(card))
      return Result.isSuccess(chosen)
        ? yield* probeWithin(chosen.success.client)
        : { usable: false, notes: [chosen.failure.message], models: [] }
    })
  })
})
