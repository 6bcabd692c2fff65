import { strict as assert } from "node:assert"
import { only } from "../waiting.ts"
import { allowed, results, said, type Story } from "./Story.ts"

const offered = { type: "mcp_toolset", mcp_server_name: "everything", default_config: allowed }
const reading = ["list_resources", "read_resource", "list_prompts", "get_prompt"].map((name) => ({ name }))

/** What MCP servers offer, what they ask for, and that a turn can do without them. */
export const servers = async (story: Story) => {
  const url = story.world.everything
  await story.begin({
    tools: [{ ...offered, configs: reading }],
    mcpServers: [{ type: "url", name: "everything", url, troupe: { sampling: true } }]
  })
  const call = (name: string, input: object = {}) => `call mcp__everything__${name} ${JSON.stringify(input)}`
  await story.chapter("A tool of an MCP server", async () => {
    assert.match(results(await story.turn(call("echo", { message: "over there" }))), /over there/)
  })
  await story.chapter("Resources and prompts of an MCP server", async () => {
    const fresh = await story.turn(`${call("list_resources")}\n${call("list_prompts")}`)
    assert.match(results(fresh), /resource[^]*prompt/)
  })
  await story.chapter("An MCP server has a person asked, and text written", async () => {
    await story.send(story.message(call("trigger-elicitation-request")))
    const asked = await story.until("a question is asked", (fresh) =>
      only(fresh, "ToolRequested").some(({ within }) => within !== undefined)
    )
    const { callId } = only(asked, "ToolRequested").find(({ within }) => within !== undefined)!
    await story.answer(callId, { name: "Ada", integer: 7 })
    assert.match(results(await story.ended()), /Name: Ada/)
    const fresh = await story.turn(call("trigger-sampling-request", { prompt: "say: a poem", maxTokens: 50 }))
    assert.equal(only(fresh, "ModelRequestEnded").length, 3)
  })

  await story.begin({
    tools: [offered],
    mcpServers: [{ type: "url", name: "everything", url: "http://127.0.0.1:9/mcp" }]
  })
  await story.chapter("An MCP server that can't be reached", async () => {
    const fresh = await story.turn("say: still here")
    assert.match(said(fresh), /still here/)
    assert.equal(only(fresh, "AttemptTroubled")[0]?.error.code, "mcp_connection_failed")
  })
}
