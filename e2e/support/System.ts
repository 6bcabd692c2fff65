import * as PgClient from "@effect/sql-pg/PgClient"
import { fromUuid, prefixes, type SessionId, type TurnId } from "@troupe/domain/Ids"
import type { Budget } from "@troupe/domain/session/Budget"
import { text } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Layer, ManagedRuntime, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomBytes } from "node:crypto"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import * as EventStorePg from "../../packages/server/src/log/EventStorePg.ts"
import { allEvents } from "../../packages/server/test/support/allEvents.ts"
import { openCommand } from "../../packages/server/test/support/CommandGenerator.ts"
import { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { mintId, prng, type Prng } from "../../test/support/Prng.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { RunnerHost, type RunnerHostOptions } from "./RunnerHost.ts"

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export interface SessionOptions {
  readonly harness?: "openai-agents" | "shell"
  readonly model?: string
  readonly auxModel?: string
  /** Temperature, effort, and what else goes with the model's name. */
  readonly modelOptions?: Readonly<Record<string, unknown>>
  readonly tools?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly environment?: Readonly<Record<string, unknown>>
  readonly policies?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly mcpServers?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly budget?: Budget
}

/** All built-in tools, run without asking. */
export const allTools = [
  { type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_allow" } } }
]

type Urls = Pick<TestDatabase["Service"], "appUrl" | "ownerUrl">

/** Nodes and runners in processes of their own on a real database, and the log as the judge of what they did. */
export class System {
  readonly token = `trp_reg_${randomBytes(24).toString("hex")}`
  readonly nodes: Array<NodeProcess> = []
  readonly runners: Array<RunnerHost> = []
  private readonly random: Prng
  private readonly env: Readonly<Record<string, string>>
  private readonly scope: Scope.Closeable
  private readonly database: ManagedRuntime.ManagedRuntime<EventStore | SqlClient, unknown>

  private constructor(database: Urls, seed: number, scope: Scope.Closeable) {
    this.scope = scope
    this.random = prng(seed)
    this.env = {
      DATABASE_URL: Redacted.value(database.appUrl),
      DATABASE_OWNER_URL: Redacted.value(database.ownerUrl),
      TROUPE_RUNNER_TOKEN: this.token
    }
    this.database = ManagedRuntime.make(
      EventStorePg.layer.pipe(Layer.provideMerge(PgClient.layer({ url: database.appUrl, maxConnections: 4 })))
    )
  }

  /** A database, on which nodes and runners can begin. */
  static async make(seed = 1): Promise<System> {
    const scope = Scope.makeUnsafe()
    return new System(await Effect.runPromise(Scope.provide(TestDatabase.make(), scope)), seed, scope)
  }

  /** The same on a database that is there, and stays. */
  static on(url: string): System {
    const secret = Redacted.make(url)
    return new System({ appUrl: secret, ownerUrl: secret }, 1, Scope.makeUnsafe())
  }

  async node(env: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    const node = await NodeProcess.start({ ...this.env, ...env })
    this.nodes.push(node)
    return node
  }

  runner(options: Partial<RunnerHostOptions> = {}): RunnerHost {
    const servers = options.servers ?? this.nodes.map(({ gateway }) => gateway)
    const runner = new RunnerHost({ token: this.token, ...options, servers })
    this.runners.push(runner)
    runner.start()
    return runner
  }

  async end(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.end()))
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")))
    await this.database.dispose()
    await Effect.runPromise(Scope.close(this.scope, Exit.void))
  }

  mint(kind: keyof typeof prefixes): string {
    return mintId(this.random, kind)
  }

  command(body: SessionCommand): Command {
    return {
      commandId: this.mint("Command") as never,
      at: Date.now(),
      actor: { type: "api_key", id: "test" },
      correlationId: randomBytes(16).toString("hex"),
      body
    }
  }

  async send(node: NodeProcess, session: SessionId, body: SessionCommand): Promise<void> {
    const answer = await node.command(session, this.command(body))
    if (answer.error !== undefined) throw new Error(`${body._tag}: ${answer.error.text}`)
  }

  async open(node: NodeProcess, options: SessionOptions = {}): Promise<SessionId> {
    const { body, session } = await this.opening(options)
    await this.send(node, session, body)
    return session
  }

  /** A new session, and the command that opens it. */
  async opening(options: SessionOptions): Promise<{ readonly session: SessionId; readonly body: SessionCommand }> {
    const {
      auxModel = null,
      budget = [],
      environment,
      harness = "openai-agents",
      mcpServers = [],
      model = "demo",
      modelOptions = {},
      policies = [],
      tools = allTools
    } = options
    const [workspace] = await this.query<{ id: string }>("SELECT workspace_id::text AS id FROM workspaces LIMIT 1")
    const session = this.mint("Session") as SessionId
    const body = openCommand(this.random, session, fromUuid("wrkspc", workspace!.id) as never)
    if (body._tag !== "Open") throw new Error("It is to open a session")
    const agent = {
      ...body.agent,
      harness,
      model: { id: model, ...modelOptions },
      auxModel,
      tools,
      mcpServers,
      policies
    }
    const config = environment ?? null
    const snapshot =
      config === null
        ? null
        : { environmentId: this.mint("Environment"), digest: "0".repeat(64), name: "environment", config }
    const opened = {
      ...body,
      agent,
      environment: snapshot,
      inputs: [],
      budget,
      history: [],
      externalThreadKey: null
    }
    return { session, body: opened as SessionCommand }
  }

  message(words: string, more: Partial<Extract<Input, { readonly _tag: "Message" }>> = {}) {
    return {
      _tag: "Message",
      inputId: this.mint("Event") as never,
      turnId: this.mint("Turn") as TurnId,
      threadId: null,
      content: text(words),
      mode: "queue",
      overrides: {},
      needsApproval: false,
      ...more
    } as const satisfies Input
  }

  async say(node: NodeProcess, session: SessionId, words: string): Promise<void> {
    await this.send(node, session, { _tag: "Send", inputs: [this.message(words)] })
  }

  /** Runs an effect on the database, past every node. */
  run<A, E>(effect: Effect.Effect<A, E, EventStore | SqlClient>): Promise<A> {
    return this.database.runPromise(effect)
  }

  query<Row extends object>(sql: string): Promise<ReadonlyArray<Row>> {
    return this.run(Effect.flatMap(SqlClient, (client) => client.unsafe<Row>(sql)))
  }

  async log(session: SessionId): Promise<ReadonlyArray<SessionEvent>> {
    const events = await this.database.runPromise(allEvents(session))
    return events.map(({ payload, type }) => ({ ...JSON.parse(payload as never), _tag: type }) as SessionEvent)
  }

  /** Waits for the log to have what is looked for, and answers all of it. */
  async until(
    session: SessionId,
    what: string,
    found: (events: ReadonlyArray<SessionEvent>) => boolean,
    withinMs = 90_000
  ): Promise<ReadonlyArray<SessionEvent>> {
    const end = performance.now() + withinMs
    while (performance.now() < end) {
      const events = await this.log(session)
      if (found(events)) return events
      await sleep(50)
    }
    const events = await this.log(session)
    const said = this.runners.flatMap(({ output }) => output).join("")
    throw new Error(
      `Not within ${withinMs} ms: ${what}\n${events.map((event) => JSON.stringify(event)).join("\n")}\n${said}`
    )
  }

  turnsEnded(session: SessionId, count: number, withinMs?: number): Promise<ReadonlyArray<SessionEvent>> {
    const ends = new Set(["TurnCompleted", "TurnFailed", "TurnInterrupted"])
    return this.until(
      session,
      `${count} turns end`,
      (events) => events.filter(({ _tag }) => ends.has(_tag)).length >= count,
      withinMs
    )
  }
}

export const wordsOf = (events: ReadonlyArray<SessionEvent>): string =>
  events
    .flatMap((event) => ("content" in event && Array.isArray(event.content) ? event.content : []))
    .map((block) => (block.type === "text" ? block.text : ""))
    .join("\n")
