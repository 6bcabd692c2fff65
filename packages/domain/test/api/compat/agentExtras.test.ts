import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { createAgent, updateAgent } from "../../../src/api/compat/agentRules.ts"
import { sessionAgentOf, snapshotOf } from "../../../src/api/compat/snapshot.ts"
import { nth } from "../../session/ids.ts"

const extras = {
  temperature: 0.2,
  max_tokens: 500,
  max_steps: 3,
  keep_model_requests: true,
  output_schema: { type: "object", properties: {} }
}
const made = (troupe?: object) =>
  Result.getOrThrow(createAgent({ name: "a", model: "demo", ...(troupe && { troupe }) }))

describe("How an agent's model is asked", () => {
  it("is kept, shown on its sessions, and changed one by one", () => {
    const agent = made(extras)
    assert.deepStrictEqual(agent.troupe, { harness: null, aux_model: null, ...extras })
    const id = { agentId: nth("Agent", 1) as never, version: 1, digest: "0".repeat(64) as never }
    const shown = sessionAgentOf(snapshotOf(id, agent, "openai-agents"))
    assert.deepStrictEqual(shown?.troupe, { harness: "openai-agents", aux_model: null, ...extras } as never)
    const { output_schema } = extras
    const next = Result.getOrThrow(
      updateAgent(agent, { troupe: { temperature: null, max_tokens: 9, max_steps: null, keep_model_requests: null } })
    )
    assert.deepStrictEqual(next.troupe, { harness: null, aux_model: null, output_schema, max_tokens: 9 })
  })

  it("leaves agents that say nothing of it as they were", () => {
    assert.deepStrictEqual(made().troupe, { harness: null, aux_model: null })
  })

  it("is refused where the schema of its answers is none", () => {
    const wrong = createAgent({ name: "a", model: "demo", troupe: { output_schema: { type: "text" } } })
    assert.isTrue(Result.isFailure(wrong))
  })
})
