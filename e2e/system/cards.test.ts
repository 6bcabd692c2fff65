import { LLMock } from "@copilotkit/aimock"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { requires } from "../../test/requires.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { filesWith } from "../support/filesWith.ts"
import { System, wordsOf } from "../support/System.ts"

const key = "sk-of-the-workspace-4321"

const usage = {
  prompt_tokens: 1_000,
  completion_tokens: 10,
  total_tokens: 1_010,
  input_tokens: 1_000,
  output_tokens: 10
}

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a model card of a workspace", () => {
  const mock = new LLMock({ port: 0, chunkSize: 8 })
  let system: System

  const ask = async (path: string, body?: object) => {
    const response = await fetch(`${system.nodes[0]!.gateway}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    assert.strictEqual(response.status, 200, text)
    assert.notInclude(text, key)
    return JSON.parse(text)
  }

  beforeAll(async () => {
    mock.addFixtures([
      { match: { userMessage: "who pays" }, response: { content: `You do, with ${key}.`, usage } }
    ] as never)
    await mock.start()
    system = await System.make()
    await system.node({ TROUPE_MASTER_KEY: "a-master-key-of-tests-that-is-long-enough" })
    // It has no provider of its own: whatever it reaches, it reaches by the card.
    system.runner()
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await mock.stop()
  }, 60_000)

  it(
    "is tried by a runner, pays for a session's requests by its own price, and is said by nobody",
    { timeout: 300_000 },
    async () => {
      const price = { input: 2_000_000, output: 8_000_000, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 }
      const headers = { "x-tenant": "blue" }
      const base_url = `${mock.url}/v1`
      const given = { name: "ours", provider: "openai-chat", model: "gpt-4.1", base_url, api_key: key, price, headers }
      const card = await ask("/v1/model_cards", given)
      assert.strictEqual(card.key_hint, "4321")
      // Whoever was not there yet when the card was made can be asked later.
      let probe = card.probe
      const end = performance.now() + 200_000
      while (probe.status === "not_probed" && performance.now() < end) {
        probe = (await ask(`/v1/model_cards/${card.id}/probe`, {})).probe
      }
      assert.strictEqual(probe.status, "usable", JSON.stringify(probe))

      const agent = await ask("/v1/agents", { name: "payer", model: "ours", troupe: { keep_model_requests: true } })
      const message = { type: "user.message", content: [{ type: "text", text: "who pays?" }] }
      const opened = await ask("/v1/sessions", { agent: agent.id, initial_events: [message] })
      const events = await system.turnsEnded(opened.id as SessionId, 1)
      assert.include(wordsOf(events), "You do, with [secret].")
      const asked = events.find((event) => event._tag === "ModelRequestStarted")
      // What was sent and answered is kept, but for secrets: `ask` looks for the key in every answer.
      const kept = await ask(`/v1/sessions/${opened.id}/model_requests/${asked!.requestId}`)
      assert.deepInclude(kept, { model: "gpt-4.1", outcome: "succeeded" })
      assert.strictEqual(kept.request.messages.at(-1).content, "who pays?")
      assert.deepInclude(kept.response[0], { _tag: "Text", text: "You do, with [secret]." })
      assert.deepStrictEqual([asked?.provider, asked?.model], ["ours", "gpt-4.1"])
      const sums = events.flatMap((event) => (event._tag === "ModelRequestEnded" ? [event.usage.costMicroUsd] : []))
      assert.deepStrictEqual(sums, [2_080])
      assert.notInclude(JSON.stringify(events), key)
      // The mock keeps no key, but that there was one.
      const [sent] = mock.getRequests().map(({ headers }) => headers)
      assert.deepStrictEqual([sent!["x-tenant"], sent!["authorization"]], ["blue", "[REDACTED]"])
      const costs = async () => {
        const { data } = await ask("/v1/usage?group_by[]=model")
        return data.map(({ cost_micro_usd, model }: { cost_micro_usd: number; model: string }) => [
          model,
          cost_micro_usd
        ])
      }
      let sum = await costs()
      while (sum.length < 2 && performance.now() < end) sum = await costs()
      // How long was worked is no model's.
      assert.deepStrictEqual(sum, [
        ["", 0],
        ["ours/gpt-4.1", 2_080]
      ])
      // Its own credential is where it is looked for, so a key that is not found is not there.
      const [runner] = system.runners
      assert.isNotEmpty(filesWith(runner!.state, runner!.credential()!))
      assert.deepStrictEqual(filesWith(runner!.state, key), [])
    }
  )
})
