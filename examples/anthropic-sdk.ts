// The same with the unmodified Anthropic SDK.
import Anthropic from "@anthropic-ai/sdk"

const client = new Anthropic({ baseURL: process.env.TROUPE_SERVER_URL, apiKey: process.env.TROUPE_API_KEY })
const { agents, sessions } = client.beta
const agent = await agents.create({ name: "helper", model: "demo", tools: [{ type: "agent_toolset_20260401" }] })
const environment = await client.beta.environments.create({ name: `helper's ${Date.now()}` })
const session = await sessions.create({ agent: agent.id, environment_id: environment.id })

const stream = await sessions.events.stream(session.id)
const content = [{ type: "text" as const, text: "run: echo $((40 + 2))" }]
await sessions.events.send(session.id, { events: [{ type: "user.message", content }] })
for await (const event of stream) {
  if (event.type === "agent.message")
    for (const block of event.content) if (block.type === "text") console.log(block.text)
  if (event.type === "session.status_idle") break
}
