import { Redacted } from "effect"
import * as AnthropicModel from "../../src/models/anthropic/AnthropicModel.ts"
import type { ModelClient } from "../../src/models/ModelClient.ts"
import * as OpenAiModel from "../../src/models/openai/OpenAiModel.ts"

export interface ChosenModel {
  readonly client: ModelClient
  readonly model: string
}

const common = { apiKey: Redacted.make("a key for tests"), headers: {}, silenceMs: 20_000 }

/** One server by each of the contracts that it speaks. It has to have been started when they are asked for. */
export const modelClients = (mock: { readonly url: string }): Readonly<Record<string, () => ChosenModel>> => ({
  "Anthropic Messages": () => ({
    client: AnthropicModel.make({ ...common, provider: "anthropic", baseUrl: mock.url }),
    model: "claude-test"
  }),
  "OpenAI Responses": () => ({
    client: OpenAiModel.makeResponses({ ...common, provider: "openai", baseUrl: `${mock.url}/v1` }),
    model: "gpt-4.1"
  }),
  "Chat Completions": () => ({
    client: OpenAiModel.makeChat({ ...common, provider: "compatible", baseUrl: `${mock.url}/v1` }),
    model: "some-model"
  })
})
