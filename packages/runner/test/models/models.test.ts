import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cardSecret, Models } from "../../src/models/Models.ts"
import { fromEnvironment, type ModelsConfig, readModelsFile } from "../../src/models/ProviderConfig.ts"

const mock = new LLMock({ port: 0 })
const directory = mkdtempSync(join(tmpdir(), "troupe-models-"))
const file = (name: string, content: string, mode = 0o600) => {
  const path = join(directory, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

beforeAll(() => mock.start())
afterAll(async () => {
  await mock.stop()
  rmSync(directory, { recursive: true })
})

const none = () => Effect.succeed(null)
const withModels = <A, E>(config: ModelsConfig, use: (models: Models["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(Models, use).pipe(Effect.provide(Models.layer(config)))
const compatible = (): ModelsConfig => ({
  providers: [{ name: "local", kind: "openai-chat", baseUrl: `${mock.url}/v1`, fallback: true }]
})

const price = (input: number) => ({ input, output: 1, cacheRead: 1, cacheWrite5m: 1, cacheWrite1h: 1 })

describe("the models of a runner", () => {
  it.effect("are found by their names, and demo is always there", () =>
    withModels(compatible(), ({ choose }) =>
      Effect.gen(function* () {
        for (const [name, provider, model] of [
          ["demo", "demo", "demo"],
          ["local/llama", "local", "llama"],
          ["qwen", "local", "qwen"]
        ] as const) {
          const chosen = Result.getOrThrow(yield* choose(name, none))
          assert.deepStrictEqual([chosen.client.provider, chosen.model], [provider, model])
        }
      })
    )
  )

  it.effect("are refused by a name that leads nowhere, with those there are", () =>
    withModels({ providers: [] }, ({ choose }) =>
      Effect.gen(function* () {
        for (const [name, told] of [
          ["gpt-5", "needs a key of openai: set OPENAI_API_KEY"],
          ["llama", "write PROVIDER/llama with one of demo"]
        ] as const) {
          const { code, message } = Result.getOrThrow(Result.flip(yield* choose(name, none)))
          assert.strictEqual(code, "model_unknown")
          assert.include(message, told)
        }
      })
    )
  )

  it.live("say whether they are usable, and why not", () =>
    withModels(
      {
        providers: [
          ...compatible().providers,
          { name: "nobody", kind: "openai-chat", baseUrl: "http://127.0.0.1:9/v1" }
        ]
      },
      ({ probe }) =>
        Effect.gen(function* () {
          const found = new Map((yield* probe).map((one) => [one.name, one]))
          assert.strictEqual(found.get("demo")?.usable, true)
          assert.strictEqual(found.get("local")?.usable, true)
          assert.strictEqual(found.get("nobody")?.usable, false)
          assert.isNotEmpty(found.get("nobody")?.notes)
        })
    )
  )

  it.effect("may come with a run, as a card", () =>
    withModels({ providers: [] }, ({ choose }) =>
      Effect.gen(function* () {
        const provider = { name: "theirs", kind: "anthropic", apiKey: "a key of theirs", baseUrl: mock.url }
        const card = JSON.stringify({ provider, model: "claude-test" })
        const secret = (name: string) => Effect.succeed(name === cardSecret("ours") ? card : null)
        const chosen = Result.getOrThrow(yield* choose("ours", secret))
        assert.deepStrictEqual([chosen.client.provider, chosen.model], ["theirs", "claude-test"])
        assert.isNull(chosen.price)
        const broken = yield* choose("ours", () => Effect.succeed('{"provider": {"apiKey": "a key of theirs"}}'))
        assert.notInclude(JSON.stringify(broken), "a key of theirs")
        assert.strictEqual(Result.isFailure(broken) && broken.failure.code, "model_card_invalid")
      })
    )
  )

  it.effect("cost what the card says, else the workspace, else this runner, else the list", () =>
    withModels(
      { providers: [{ name: "openai", kind: "openai", apiKey: Redacted.make("k") }], prices: { "gpt-4.1": price(3) } },
      ({ choose }) =>
        Effect.gen(function* () {
          const provider = { name: "theirs", kind: "openai-chat", baseUrl: `${mock.url}/v1` }
          const card = (more: object) => (name: string) =>
            Effect.succeed(name === cardSecret("ours") ? JSON.stringify({ provider, model: "gpt-4.1", ...more }) : null)
          const input = (name: string, secret: Parameters<typeof choose>[1], prices?: Parameters<typeof choose>[2]) =>
            Effect.map(choose(name, secret, prices), (chosen) => Result.getOrThrow(chosen).price?.input)
          const workspace = { "gpt-*": price(2) }
          assert.strictEqual(yield* input("ours", card({ price: price(1) }), workspace), 1)
          assert.strictEqual(yield* input("ours", card({}), workspace), 2)
          assert.strictEqual(yield* input("gpt-4.1", none, workspace), 2)
          assert.strictEqual(yield* input("gpt-4.1", none), 3)
          assert.strictEqual(yield* input("gpt-4.1-mini", none), 400_000)
          assert.isUndefined(yield* input("gpt-unheard-of", none))
        })
    )
  )

  it.effect("may be tried by their card, which names nothing of this host", () =>
    withModels({ providers: [] }, ({ choose, probeCard }) =>
      Effect.gen(function* () {
        const text = (provider: object) => JSON.stringify({ provider: { name: "ours", ...provider }, model: "m" })
        const probe = (provider: object) => probeCard(Redacted.make(text(provider)))
        const found = yield* probe({ kind: "openai-chat", baseUrl: `${mock.url}/v1`, apiKey: "k" })
        assert.strictEqual(found.usable, true)
        const away = yield* probe({ kind: "openai-chat", baseUrl: "http://127.0.0.1:9/v1", apiKey: "k" })
        assert.strictEqual(away.usable, false)
        assert.isNotEmpty(away.notes)
        for (const more of [
          { kind: "module", module: "/tmp/a.mjs" },
          { kind: "openai", apiKeyFile: "/etc/shadow" }
        ]) {
          assert.strictEqual((yield* probe(more)).usable, false)
          const chosen = yield* choose("ours", () => Effect.succeed(text(more)))
          assert.strictEqual(Result.isFailure(chosen) && chosen.failure.code, "model_card_invalid")
        }
      })
    )
  )

  it.effect("may be of one's own making", () =>
    Effect.gen(function* () {
      const source = `export const make = () => ({ probe: null, facts: () => ({ contextTokens: 1, outputTokens: 1 }), stream: () => null })`
      const module = file("own.mjs", source)
      yield* withModels({ providers: [{ name: "mine", kind: "module", module }] }, ({ choose }) =>
        Effect.gen(function* () {
          assert.strictEqual(Result.getOrThrow(yield* choose("mine/x", none)).client.provider, "mine")
        })
      )
      const other = file("other.mjs", "export const something = 1")
      const config: ModelsConfig = { providers: [{ name: "mine", kind: "module", module: other }] }
      const refused = yield* Effect.flip(withModels(config, () => Effect.void))
      assert.include(refused.message, "exports no function make")
    })
  )

  it.effect("have one name each", () =>
    Effect.gen(function* () {
      const [one] = compatible().providers
      const refused = yield* Effect.flip(withModels({ providers: [one!, one!] }, () => Effect.void))
      assert.include(refused.message, "already")
    })
  )
})

describe("what configures them", () => {
  it("may be the usual variables", () => {
    const providers = fromEnvironment({
      OPENAI_API_KEY: "one",
      ANTHROPIC_API_KEY: "two",
      ANTHROPIC_BASE_URL: "",
      AZURE_OPENAI_ENDPOINT: "https://example.openai.azure.com",
      AZURE_OPENAI_AD_TOKEN: "three"
    })
    assert.deepStrictEqual(
      providers.map(({ kind, name }) => [name, kind]),
      [
        ["openai", "openai"],
        ["anthropic", "anthropic"],
        ["azure", "azure"]
      ]
    )
    assert.notInclude(JSON.stringify(providers), "three")
    const local = fromEnvironment({ OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" })
    assert.deepInclude(local[0], { kind: "openai-chat", fallback: true })
    assert.deepStrictEqual(fromEnvironment({}), [])
  })

  it("may be a file, whose mistakes are named", () => {
    const good = file("models.json", JSON.stringify({ providers: [{ name: "x", kind: "openai-chat" }] }))
    assert.strictEqual(readModelsFile(good).providers[0]?.name, "x")
    assert.throws(() => readModelsFile(file("bad.json", "{")), /no JSON/)
    const wrong = { providers: [{ name: "x", kind: "openai-chat", baseUrl: "ftp://x" }] }
    assert.throws(() => readModelsFile(file("wrong.json", JSON.stringify(wrong))), /baseUrl/)
    assert.throws(() => readModelsFile(join(directory, "none.json")), /none.json/)
  })

  it.effect("may name a file for a key, which nobody else may read", () =>
    Effect.gen(function* () {
      const config = (apiKeyFile: string): ModelsConfig => ({ providers: [{ name: "x", kind: "openai", apiKeyFile }] })
      yield* withModels(config(file("key", "a secret\n")), () => Effect.void)
      const open = yield* Effect.flip(withModels(config(file("open", "a secret", 0o644)), () => Effect.void))
      assert.include(open.message, "chmod 600")
      const missing = yield* Effect.flip(withModels(config(join(directory, "missing")), () => Effect.void))
      assert.include(missing.message, "missing")
    })
  )
})
