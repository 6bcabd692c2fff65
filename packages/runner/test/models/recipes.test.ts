import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { text } from "@troupe/domain/session/Content"
import { Effect, Result, Stream } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Models } from "../../src/models/Models.ts"
import { readModelsFile } from "../../src/models/ProviderConfig.ts"
import { faultyProvider } from "../support/FaultyProvider.ts"

const recipes = join(import.meta.dirname, "../../../../examples/models")
const directory = mkdtempSync(join(tmpdir(), "troupe-recipes-"))
const mock = new LLMock({ port: 0 })

beforeAll(async () => {
  mock.onMessage("hello", { content: "Hello from the endpoint." })
  await mock.start()
})
afterAll(async () => {
  await mock.stop()
  rmSync(directory, { recursive: true })
})

/** The recipe as it is written, but for where it leads and the key that only its owner has. */
const here = (name: string, url = mock.url) => {
  const recipe = JSON.parse(readFileSync(join(recipes, name), "utf8")) as {
    providers: Array<{ kind: string; baseUrl: string; apiKeyFile?: string }>
  }
  for (const provider of recipe.providers) {
    provider.baseUrl = provider.kind === "azure" ? url : `${url}/v1`
    if (provider.apiKeyFile === undefined) continue
    provider.apiKeyFile = join(directory, "key")
    writeFileSync(provider.apiKeyFile, "a key", { mode: 0o600 })
  }
  const file = join(directory, name)
  writeFileSync(file, JSON.stringify(recipe), { mode: 0o600 })
  return readModelsFile(file)
}

const bearer = (key: string) => ({ path: "/v1/chat/completions", authorization: `Bearer ${key}` })
const azure = "/openai/responses?api-version=2025-04-01-preview"
/** Where each asks, and what it shows there. */
const asked: Readonly<
  Record<string, { readonly path: string; readonly authorization?: string; readonly key?: string }>
> = {
  "azure-ad-token.json": { path: azure, authorization: "Bearer TOKEN" },
  "azure-key.json": { path: azure, key: "a key" },
  "bedrock.json": bearer("a key"),
  "gemini.json": bearer("a key"),
  "litellm.json": bearer("a key"),
  "mistral.json": bearer("a key"),
  "ollama.json": bearer("none"),
  "vllm.json": bearer("none")
}

const history = [{ type: "user", inputId: null, from: null, content: text("hello") }] as const

describe("the recipes for providers", () => {
  for (const name of readdirSync(recipes)) {
    it.live(name, () => {
      const config = here(name)
      const [provider] = config.providers
      return Effect.gen(function* () {
        const { choose } = yield* Models
        const { client, model } = Result.getOrThrow(
          yield* choose(`${provider!.name}/some-model`, () => Effect.succeed(null))
        )
        const request = { model, instructions: [], history, tools: [], settings: {}, cacheKey: "" }
        const events = yield* Stream.runCollect(client.stream(request))
        const said = events.flatMap((event) => (event._tag === "Text" ? [event.text] : []))
        assert.deepStrictEqual(said, ["Hello from the endpoint."])
      }).pipe(Effect.provide(Models.layer(config)))
    })
  }

  it.live("show who asks as their provider wants it shown", () =>
    Effect.gen(function* () {
      const server = yield* faultyProvider
      for (const name of readdirSync(recipes)) {
        const config = here(name, server.url)
        let shown: object = {}
        server.reply = (response, { headers, url: path }) => {
          const { authorization, "api-key": key } = headers
          shown = {
            path,
            ...(authorization === undefined ? {} : { authorization }),
            ...(key === undefined ? {} : { key })
          }
          response.writeHead(401).end("{}")
        }
        yield* Effect.gen(function* () {
          const { choose } = yield* Models
          const chosen = yield* choose(`${config.providers[0]!.name}/some-model`, () => Effect.succeed(null))
          const { client, model } = Result.getOrThrow(chosen)
          const request = { model, instructions: [], history, tools: [], settings: {}, cacheKey: "" }
          yield* Effect.exit(Stream.runDrain(client.stream(request)))
        }).pipe(Effect.provide(Models.layer(config)))
        assert.deepStrictEqual(shown, asked[name], name)
      }
    }).pipe(Effect.scoped)
  )

  it("are all in the documentation", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/models.md"), "utf8")
    for (const name of readdirSync(recipes)) assert.include(page, `examples/models/${name}`)
  })
})
