import type { JsonObject } from "@troupe/domain/Json"
import { strict as assert } from "node:assert"
import { eventually, only } from "../waiting.ts"
import { callOf, outcomes, people, results, said, type Story } from "./Story.ts"

interface Card {
  readonly id: string
  readonly key_hint: string
  readonly probe: { readonly status: string }
}

const price = { input: 2_000_000, output: 8_000_000, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 }

/** Models of the workspace's own, and none at all. */
export const models = async (story: Story) => {
  const { server, telling } = story.world
  const output: JsonObject = {
    type: "object",
    properties: { answer: { type: "integer" } },
    required: ["answer"],
    additionalProperties: false
  }
  await story.chapter("A model of the workspace's, by a key of its own", async () => {
    const made = await story.api<Card>("/model_cards", {
      ...{ name: "ours", provider: "openai-chat", model: "gpt-4.1", base_url: `${server.url}/v1` },
      ...{ api_key: "sk-of-the-workspace-4321", price }
    })
    const probe = await eventually("a runner has tried the card", async () => {
      const { probe } = await story.api<Card>(`/model_cards/${made.id}/probe`, {})
      return probe.status === "not_probed" ? undefined : probe
    })
    telling.note(`the card \`ours\`, with the key …${made.key_hint}: ${probe.status}`)
    assert.equal(probe.status, "usable")
    await story.begin({ model: "ours", modelOptions: { output, temperature: 0.5, maxTokens: 500, effort: "high" } })
    assert.match(said(await story.turn('say: {"answer": 42}')), /42/)
    assert.equal(server.asked.at(-1)?.authorization, "Bearer sk-of-the-workspace-4321")
    assert.deepEqual((server.settings["response_format"] as JsonObject | undefined)?.["type"], "json_schema")
    const { response_format: _, stream: __, stream_options: ___, tools: ____, ...asked } = server.settings
    telling.note(`asked for an answer in the agent's schema, with ${JSON.stringify(asked)}`)
  })
  await story.chapter("A server that has too much to do is asked again, when it said", async () => {
    const fresh = await story.turn("say: once you are not too busy")
    assert.deepEqual(
      only(fresh, "ModelRequestEnded").map(({ outcome }) => outcome),
      ["failed", "succeeded"]
    )
    assert.equal(only(fresh, "TurnRescheduled").length, 1)
  })
  await story.chapter("An answer that breaks off is asked for again, and what was said of it stays", async () => {
    const fresh = await story.turn("say: the end, if you do not break off")
    assert.deepEqual(
      only(fresh, "MessageBlock").map(({ partial }) => partial),
      [true, false]
    )
    assert.equal(only(fresh, "TurnRescheduled").length, 1)
  })
  await story.chapter("A model that there is not", async () => {
    await story.begin({ model: "nobody/knows-this" })
    assert.equal(only(await story.turn("say: hello"), "TurnFailed").length, 1)
  })

  await story.begin({ harness: "shell", model: "none", tools: [{ type: "agent_toolset_20260401" }, people] })
  const run = (...commands: ReadonlyArray<JsonObject>) => JSON.stringify({ commands, stopOnFailure: false })
  await story.chapter("Commands without a model", async () => {
    const fresh = await story.turn(
      run(
        { run: "mkdir -p app" },
        { run: "pwd; echo $GREETING; cat", cwd: "app", env: { GREETING: "hello" }, stdin: "words" },
        { run: "sleep 60", timeoutMs: 1_000 },
        { run: "exit 3" }
      )
    )
    assert.match(results(fresh), /app[^]*hello[^]*words/)
    assert.deepEqual(outcomes(fresh), ["succeeded", "succeeded", "timed_out", "failed"])
    assert.match(said(fresh), /exit 3/)
  })
  await story.chapter("A command is told what was written, and what a person says", async () => {
    const replies = [
      { prompt: "Sure?", reply: "yes" },
      { prompt: "Where to?", ask: "Where is it to go?", options: ["staging", "production"] }
    ]
    const asks = 'printf "Sure? "; read -r a; printf "Where to? "; read -r b; echo "$a, to $b"'
    await story.send(story.message(run({ run: asks, replies })))
    await story.answer(callOf(await story.waits()).callId, "staging")
    assert.match(results(await story.ended()), /yes, to staging/)
  })
}
