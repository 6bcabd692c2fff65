// The same on Deno, with somebody who allows what the agent wants to do.
import { Troupe } from "@troupe/client"

const troupe = new Troupe({ baseURL: Deno.env.get("TROUPE_SERVER_URL"), apiKey: Deno.env.get("TROUPE_API_KEY") })
const tools = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }]
const agent = await troupe.agents.create({ name: "careful helper", model: "demo", tools })
const session = await troupe.open({ agent: agent.id })

await using events = await session.stream()
await session.send("run: echo $((40 + 2))")
for await (const event of events) {
  if (event.type === "agent.tool_use" && event.evaluated_permission === "ask") await session.approve(event.id)
  if (event.type === "agent.message") console.log(event.content)
  if (event.type === "session.status_idle" && event.stop_reason.type === "end_turn") break
}
