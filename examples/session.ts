// One session from its agent to what it said. The key of `npm start` is in ~/.troupe/api_key.
import { Troupe } from "@troupe/client"

const troupe = new Troupe({ baseURL: process.env.TROUPE_SERVER_URL, apiKey: process.env.TROUPE_API_KEY })
const tools = [{ type: "agent_toolset_20260401" }]
const agent = await troupe.agents.create({ name: "helper", model: "demo", tools })
const session = await troupe.open({ agent: agent.id })

await session.send("run: echo $((40 + 2))")
await session.until("idle")
for await (const event of session.events()) {
  if (event.type === "agent.message")
    for (const block of event.content) if (block.type === "text") console.log(block.text)
}
