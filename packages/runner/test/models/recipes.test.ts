import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { text } from "@troupe/domain/session/Content"
import { Effect, Result, Stream } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Models } from "../../src/models/Models.ts"
import { readModelsFile } from "../../src/models/ProviderConfig.ts"

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
const here = (name: string) => {
  const recipe = JSON.parse(readFileSync(join(recipes, name), "utf8")) as {
    providers: Array<{ kind: string; baseUrl: string; apiKeyFile?: string }>
  }
  for (const provider of recipe.providers) {
    provider.baseUrl = provider.kind === "azure" ? mock.url : `${mock.url}/v1`
    if (provider.apiKeyFile === undefined) continue
    provider.apiKeyFile = join(directory, "key")
    writeFileSync(provider.apiKeyFile, "a key", { mode: 0o600 })
  }
  const file = join(directory, name)
  writeFileSync(file, JSON.stringify(recipe))
  return readModelsFile(file)
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

  it("are all in the documentation", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/models.md"), "utf8")
    for (const name of readdirSync(recipes)) assert.include(page, `examples/models/${name}`)
  })
})
