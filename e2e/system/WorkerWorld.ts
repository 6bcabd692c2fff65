import Anthropic from "@anthropic-ai/sdk"
import type { Heartbeat, Work } from "@troupe/domain/api/Work"
import type { SessionId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { chaosProxy, type ChaosProxy } from "../support/ChaosProxy.ts"
import { EffectSink } from "../support/EffectSink.ts"
import { System } from "../support/System.ts"
import { WorkerProcess } from "../support/WorkerProcess.ts"
import { eventually } from "./waiting.ts"

export type Sdk = ConstructorParameters<typeof WorkerProcess>[0]["sdk"]

/** A self-hosted environment, with the key that its workers come with. */
export interface Hosted {
  readonly environmentId: string
  readonly key: string
}

/** What waits at the door of a session's worker. */
export interface Claim {
  readonly workId: string
  readonly sessionId: SessionId
  /** Opens the session, and keeps the work up. */
  readonly token: string
}

interface Answer<Body> {
  readonly status: number
  readonly body: Body
}
export type Refused = { readonly error: { readonly details: Readonly<Record<string, object>> } }

/** A node, a runner and workers, as they are when a customer runs the tools. Programs reach the node by one address. */
export class WorkerWorld {
  readonly sink: EffectSink
  readonly system: System
  readonly door: ChaosProxy
  readonly client: Anthropic
  private readonly workers: Array<WorkerProcess> = []

  private constructor(system: System, sink: EffectSink, door: ChaosProxy) {
    this.system = system
    this.sink = sink
    this.door = door
    this.client = new Anthropic({ apiKey, baseURL: this.baseURL })
  }

  static async start(): Promise<WorkerWorld> {
    const system = await System.make()
    await system.node()
    const door = await chaosProxy(() => {
      const node = system.nodes.findLast((one) => !one.hasExited())
      return node === undefined ? null : Number(new URL(node.gateway).port)
    })
    system.runner({ servers: [`http://127.0.0.1:${door.port}`] })
    return new WorkerWorld(system, await EffectSink.start(), door)
  }

  get baseURL(): string {
    return `http://127.0.0.1:${this.door.port}`
  }

  node(): NodeProcess {
    return this.system.nodes.at(-1)!
  }

  async ask<Body>(key: string, method: string, path: string, body?: object): Promise<Answer<Body>> {
    const response = await fetch(`${this.baseURL}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text) as Body }
  }

  async hosted(): Promise<Hosted> {
    const { id } = await this.client.beta.environments.create({ name: "ours", config: { type: "self_hosted" } })
    const made = await this.ask<{ readonly secret: string }>(apiKey, "POST", "/v1/tokens", {
      kind: "environment_key",
      name: "workers",
      environment_id: id
    })
    return { environmentId: id, key: made.body.secret }
  }

  /** A session of the demo model's, told these lines. */
  async session({ environmentId }: Hosted, ...lines: ReadonlyArray<string>): Promise<SessionId> {
    const agent = await this.client.beta.agents.create({
      name: "worker's",
      model: "demo",
      tools: [
        { type: "agent_toolset_20260401" },
        {
          type: "custom",
          name: "greet",
          description: "Greets.",
          input_schema: { type: "object", properties: { name: { type: "string" } } }
        }
      ]
    })
    const session = await this.client.beta.sessions.create({
      agent: agent.id,
      environment_id: environmentId,
      initial_events: [{ type: "user.message", content: [{ type: "text", text: lines.join("\n") }] }]
    })
    return session.id as SessionId
  }

  worker(sdk: Sdk, { environmentId, key }: Hosted, ttlSeconds = 60): WorkerProcess {
    const { baseURL } = this
    const worker = new WorkerProcess({ sdk, baseURL, environmentId, environmentKey: key, ttlSeconds })
    this.workers.push(worker)
    return worker
  }

  /** The next work, taken by hand. */
  async poll({ environmentId, key }: Hosted): Promise<Claim | null> {
    const path = `/v1/environments/${environmentId}/work/poll?block_ms=500`
    const { body, status } = await this.ask<Work | null>(key, "GET", path)
    if (status !== 200) throw new Error(`poll: ${status} ${JSON.stringify(body)}`)
    if (body === null) return null
    const { sessions_token: token } = JSON.parse(Buffer.from(body.secret!, "base64url").toString())
    return { workId: body.id, sessionId: body.data.id, token }
  }

  async claim(hosted: Hosted): Promise<Claim> {
    const claim = await eventually("work is queued", async () => (await this.poll(hosted)) ?? undefined)
    const { status } = await this.work(hosted.key, hosted, claim, "ack")
    if (status !== 200) throw new Error(`ack: ${status}`)
    return claim
  }

  work<Body = Work>(key: string, hosted: Hosted, { workId }: Pick<Claim, "workId">, what: string, body?: object) {
    const { environmentId } = hosted
    return this.ask<Body>(key, "POST", `/v1/environments/${environmentId}/work/${workId}/${what}`, body)
  }

  beat<Body = typeof Heartbeat.Type>(hosted: Hosted, claim: Claim, expected: string, ttlSeconds = 60) {
    const query = new URLSearchParams({ expected_last_heartbeat: expected, desired_ttl_seconds: String(ttlSeconds) })
    return this.work<Body>(claim.token, hosted, claim, `heartbeat?${query}`)
  }

  /** A line that has an effect outside, and what it was given to be counted by. */
  effect(name: string, after = ""): { readonly token: string; readonly line: string } {
    const token = this.sink.token(name)
    return { token, line: `run: ${this.sink.command(token)}${after}` }
  }

  happened(token: string): Promise<true> {
    return eventually(`${token} happens`, () => (this.sink.count(token) > 0 ? true : undefined))
  }

  until(session: SessionId, tag: SessionEvent["_tag"], count = 1): Promise<ReadonlyArray<SessionEvent>> {
    const said = () => this.workers.flatMap(({ output }) => output).join("")
    return this.system
      .until(session, tag, (events) => events.filter(({ _tag }) => _tag === tag).length >= count)
      .catch((error: Error) => Promise.reject(new Error(`${error.message}\n${said()}`)))
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()))
    await this.system.end()
    await this.door.close()
    await this.sink.close()
  }
}
