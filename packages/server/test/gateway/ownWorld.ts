import { system } from "@troupe/domain/Actor"
import { AgentId } from "@troupe/domain/Ids"
import { Effect, Redacted } from "effect"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { type Body, eventsOf } from "../support/sentEvents.ts"
import { writeSession } from "../support/writeSession.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

export { type Body, eventsOf, type SentEvent } from "../support/sentEvents.ts"

export interface Answered {
  readonly status: number
  readonly body: Body
}

/** A gateway that is asked in plain HTTP. */
export interface OwnWorld extends GatewayWorld {
  readonly agentId: string
  readonly get: (path: string, key?: string) => Promise<Answered>
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answered>
  readonly open: (more?: object) => Promise<string>
  readonly say: (session: string, text: string) => Promise<string>
  /** Answers once the session shows this status, with the session. */
  readonly until: (session: string, status: string) => Promise<Body>
  /** A session that is in the log and in no node's memory. */
  readonly asleep: () => Promise<string>
  /** A key of another workspace. */
  readonly stranger: () => Promise<string>
  readonly log: (session: string) => Promise<ReadonlyArray<Body>>
}

const answered = async (response: Response): Promise<Answered> => {
  const text = await response.text()
  return { status: response.status, body: text === "" ? null : JSON.parse(text) }
}

export const startOwn = async (): Promise<OwnWorld> => {
  const world = await startGateway()
  const get: OwnWorld["get"] = async (path, key) =>
    answered(await world.fetch(path, key === undefined ? {} : { headers: { "x-api-key": key } }))
  const post: OwnWorld["post"] = async (path, body, headers = {}) =>
    answered(
      await world.fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body)
      })
    )
  const { body: agent } = await post("/v1/agents", { name: "helper", model: "demo" })
  const log: OwnWorld["log"] = async (session) => (await get(`/v1/sessions/${session}/log?limit=1000`)).body.data
  return {
    ...world,
    agentId: agent.id,
    get,
    post,
    log,
    open: async (more = {}) => (await post("/v1/sessions", { agent: agent.id, ...more })).body.id,
    say: async (session, text) => {
      const events = [{ type: "user.message", content: [{ type: "text", text }] }]
      return (await post(`/v1/sessions/${session}/events`, { events })).body.data[0].id
    },
    until: async (session, status) => {
      const response = await world.fetch(`/v1/sessions/${session}/log/stream?types[]=StatusChanged`)
      for await (const { data } of eventsOf(response)) {
        if (data.payload.session?.status !== status) continue
        const { body } = await get(`/v1/sessions/${session}`)
        if (body.status === status) return body
      }
      throw new Error(`The stream ended before ${status}`)
    },
    asleep: () =>
      world.node.run(
        Effect.gen(function* () {
          const workspaceId = yield* (yield* Workspaces).first
          return yield* writeSession(workspaceId, AgentId.make(agent.id))
        })
      ),
    stranger: () =>
      world.node.run(
        Effect.gen(function* () {
          const workspaceId = yield* (yield* Workspaces).create("other", system)
          const tokens = yield* Tokens
          const scopes = ["admin"]
          const made = yield* tokens.create({ workspaceId, kind: "api_key", name: "k", labels: [], scopes }, system)
          return Redacted.value(made.secret)
        })
      )
  }
}
