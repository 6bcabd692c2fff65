import { Schema } from "effect"
import type { Api } from "./Api.ts"
import { sse } from "./sse.ts"
import type { Outcome, Transcript } from "./Transcript.ts"

const WithId = Schema.Struct({ id: Schema.String })
const idOf = (body: unknown) => Schema.decodeUnknownSync(WithId)(body).id

const Page = Schema.Struct({ data: Schema.Array(Schema.Unknown), next_page: Schema.NullOr(Schema.String) })
const decodePage = Schema.decodeUnknownSync(Page)

const madeBy = "troupe run"
const isOurs = Schema.is(
  Schema.Struct({ id: Schema.String, metadata: Schema.Struct({ made_by: Schema.Literal(madeBy) }) })
)

export interface OneShot {
  readonly prompt: string
  /** Null: one with all built-in tools, made at the first use. */
  readonly agent: string | null
  readonly model: string
  /** Whether tools run without asking. */
  readonly isTrusted: boolean
}

async function* pages(api: Api, path: string): AsyncGenerator<unknown> {
  let page: string | null = null
  do {
    const more: string = page === null ? "" : `&page=${encodeURIComponent(page)}`
    const found = decodePage(await api.get(`${path}?limit=100${more}`))
    yield* found.data
    page = found.next_page
  } while (page !== null)
}

/** The agent of this command: found by its mark, or made. */
const ownAgent = async (api: Api, model: string): Promise<string> => {
  for await (const agent of pages(api, "/v1/agents")) if (isOurs(agent)) return agent.id
  return idOf(
    await api.post("/v1/agents", { name: madeBy, model, metadata: { made_by: madeBy }, tools: toolsOf("always_allow") })
  )
}

const toolsOf = (type: "always_allow" | "always_ask") => [
  { type: "agent_toolset_20260401", default_config: { permission_policy: { type } } }
]

/** Opens a session for one message. Answers its id. */
export const open = async (api: Api, { agent, isTrusted, model }: OneShot): Promise<string> => {
  const overridden = async () => ({
    type: "agent_with_overrides",
    id: await ownAgent(api, model),
    model,
    tools: toolsOf(isTrusted ? "always_allow" : "always_ask")
  })
  return idOf(await api.post("/v1/sessions", { agent: agent ?? (await overridden()) }))
}

/**
 * Sends the message, and follows the session until that is done. A stream that breaks, because its node died, is taken up
 * again: first what there is by now, then what comes.
 */
export const follow = async (api: Api, session: string, prompt: string, transcript: Transcript): Promise<Outcome> => {
  const events = `/v1/sessions/${session}/events`
  const message = { type: "user.message", content: [{ type: "text", text: prompt }] }
  for (let isFirst = true; ; isFirst = false) {
    const stream = await api.stream(`${events}/stream?event_deltas[]=agent.message`)
    if (isFirst) await api.post(events, { events: [message] })
    else {
      for await (const event of pages(api, events)) {
        const outcome = transcript.take(event)
        if (outcome !== null) return outcome
      }
    }
    for await (const event of sse(stream)) {
      const outcome = transcript.take(event)
      if (outcome !== null) return outcome
    }
  }
}
