import type { EventId, SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Secret } from "@troupe/domain/runner/Attempt"
import { Effect, Layer, ManagedRuntime, Option, Redacted } from "effect"
import { strict as assert } from "node:assert"
import { Outbound } from "../../packages/runner/src/egress/Outbound.ts"
import { OwnServices } from "../../packages/runner/src/egress/OwnServices.ts"
import { Resolver } from "../../packages/runner/src/egress/Resolver.ts"
import { TrustStore } from "../../packages/runner/src/egress/TrustStore.ts"
import { nobody } from "../../packages/runner/src/mcp/McpPeople.ts"
import { McpSessions } from "../../packages/runner/src/mcp/McpSessions.ts"
import type { PlatformNoted } from "../../packages/runner/src/mcp/McpTurn.ts"
import { noPlace, textOf } from "../../packages/runner/test/tools/world.ts"
import { SecretSource } from "../../packages/server/src/runners/SecretSource.ts"
import { SessionLog } from "../../packages/server/src/runners/SessionLog.ts"
import { type GatewayWorld, startGateway } from "../../packages/server/test/gateway/gatewayWorld.ts"

/** Servers of tests listen where the system has them listen. */
const loopback = Array.from({ length: 65_535 }, (_, at) => ({ host: "localhost", port: at + 1 }))
const endpoints = [...loopback, ...loopback.map(({ port }) => ({ host: "127.0.0.1", port }))]

/** Where authorization servers of tests believe that we are. */
export const publicOrigin = "https://conformance-test.local"

/** All threads of these sessions have the session's agent. */
export const anyThread = "sthr_any" as ThreadId

export interface Begun {
  readonly sessionId: SessionId
  readonly workspaceId: WorkspaceId
  readonly servers: ReadonlyArray<JsonObject>
}

export interface Turn {
  /** What people were told. */
  readonly told: ReadonlyArray<PlatformNoted>
  /** What the calls said, one for each tool of the server. */
  readonly said: ReadonlyArray<string>
  /** What a person can do, where people were told of something. */
  readonly remedy: { readonly path: string; readonly scope?: string; readonly server_id?: string } | null
}

// oxlint-disable-next-line typescript/no-explicit-any -- what the API answers is looked into by the tests
type Body = any

/** Something for each argument. */
const sample = ({ properties }: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries((properties ?? {}) as Record<string, JsonObject>).map(([name, { type }]) => [
      name,
      type === "number" || type === "integer" ? 7 : "text"
    ])
  )

/**
 * A node with its gateway and database, and the runner's own part for MCP servers beside it: what they say to one another is
 * what they say over a link.
 */
export class LoginWorld {
  readonly gateway: GatewayWorld
  private readonly runner: ManagedRuntime.ManagedRuntime<McpSessions, never>

  private constructor(gateway: GatewayWorld) {
    this.gateway = gateway
    const outbound = Outbound.layer(endpoints).pipe(Layer.provide([Resolver.layer(), OwnServices.layer()]))
    this.runner = ManagedRuntime.make(
      McpSessions.layer({ startMs: 60_000 }).pipe(Layer.provide([outbound, Layer.orDie(TrustStore.layer())]))
    )
  }

  static async start(): Promise<LoginWorld> {
    const egressAllow = endpoints.map(({ host, port }) => `${host}:${port}`)
    return new LoginWorld(await startGateway({ publicUrl: Option.some(publicOrigin), egressAllow }))
  }

  async end(): Promise<void> {
    await this.runner.dispose()
    await this.gateway.end()
  }

  async ask(method: string, path: string, body?: Json): Promise<{ readonly status: number; readonly body: Body }> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await this.gateway.fetch(path, {
      method,
      headers: { "content-type": "application/json" },
      ...init
    })
    return { status: response.status, body: await response.json() }
  }

  /** What a request makes, once it can be answered: a machine that is busy says so. */
  async made(method: string, path: string, body?: Json): Promise<Body> {
    let answer = await this.ask(method, path, body)
    for (let left = 5; answer.status >= 500 && left > 0; left--) answer = await this.ask(method, path, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }

  /** A server of the workspace's list, by its id. */
  async register(url: string, more: JsonObject = {}): Promise<string> {
    const name = `server ${crypto.randomUUID()}`
    return (await this.made("POST", "/v1/mcp_servers", { name, server: { type: "url", url }, ...more })).id
  }

  /** A session whose agent uses a server of the list. */
  async begin(server_id: string): Promise<Begun> {
    const { id: agent } = await this.made("POST", "/v1/agents", {
      name: "helper",
      model: "demo",
      mcp_servers: [{ type: "registered", name: "suite", server_id }],
      tools: [{ type: "mcp_toolset", mcp_server_name: "suite" }]
    })
    const { id: sessionId } = await this.made("POST", "/v1/sessions", { agent })
    const setup = await this.gateway.node.run(Effect.flatMap(SessionLog, (log) => log.setup(sessionId)))
    return { sessionId, workspaceId: setup.workspaceId, servers: setup.agent.mcpServers }
  }

  /** A turn that calls each tool of the server once, with secrets as the node gives them. */
  async turn({ servers, sessionId, workspaceId }: Begun): Promise<Turn> {
    const of = { sessionId, workspaceId, threadId: anyThread }
    const { run } = this.gateway.node
    const source = <A, E>(use: (source: SecretSource["Service"]) => Effect.Effect<A, E>) =>
      run(Effect.flatMap(SecretSource, use))
    const secrets = new Map<string, Secret>()
    for (const secret of await this.secrets({ servers, sessionId, workspaceId })) secrets.set(secret.name, secret)
    const value = (name: string) => {
      const held = secrets.get(name)
      return held === undefined ? null : Redacted.value(held.value)
    }
    const told: Array<PlatformNoted> = []
    const turn = Effect.gen(function* () {
      const { tools } = yield* (yield* McpSessions).open({
        sessionId,
        servers,
        tools: [{ type: "mcp_toolset", mcp_server_name: "suite" }],
        place: noPlace(),
        secret: (name) => Effect.sync(() => value(name)),
        refresh: (name) =>
          Effect.promise(async () => {
            const asked = await source(({ refresh }) =>
              Effect.option(refresh(of, name, secrets.get(name)?.version ?? 0))
            )
            if (Option.isSome(asked)) secrets.set(name, asked.value)
            return value(name)
          }),
        people: () => ({ ...nobody, askHuman: () => Effect.succeed({ action: "accept", content: {} }) }),
        noted: (event) => Effect.sync(() => void told.push(event)),
        scrub: (text) => text
      })
      return yield* Effect.forEach(tools, (tool) =>
        Effect.scoped(tool.run(sample(tool.spec.inputSchema), "sevt_suite" as EventId)).pipe(
          Effect.map(({ content }) => textOf(content)),
          Effect.catch(({ message }) => Effect.succeed(message))
        )
      )
    })
    const said = await this.runner.runPromise(Effect.scoped(turn))
    const remedies = told.flatMap(({ details }) => (details["authorize"] === undefined ? [] : [details["authorize"]]))
    return { said, told, remedy: (remedies.at(-1) ?? null) as Turn["remedy"] }
  }

  /** What a runner is told for a turn. */
  async secrets({ servers, sessionId, workspaceId }: Begun): Promise<ReadonlyArray<Secret>> {
    const of = { sessionId, workspaceId, threadId: anyThread }
    const all = Effect.flatMap(SecretSource, (source) => source.all(of, { models: [], mcpServers: servers }))
    return await this.gateway.node.run(all)
  }

  /** Ends the session's connections: servers wait for that before they stop. */
  async leave({ sessionId }: Begun): Promise<void> {
    await this.runner.runPromise(Effect.flatMap(McpSessions, ({ drop }) => drop(sessionId)))
  }

  /** Where a person is led back to who opened the address and agreed, or did not. */
  async leaveFor(address: string): Promise<{ readonly back: string }> {
    const { headers } = await fetch(address, { redirect: "manual" })
    const { origin, pathname, search } = new URL(headers.get("location") ?? "")
    assert.equal(origin, publicOrigin)
    return { back: `${pathname}${search}` }
  }

  /** What a person does with the address, and the page that they see in the end. */
  async logIn(address: string): Promise<{ readonly status: number; readonly text: string; readonly back: string }> {
    const { back } = await this.leaveFor(address)
    const response = await fetch(`${this.gateway.node.gateway}${back}`)
    return { status: response.status, text: await response.text(), back }
  }
}
