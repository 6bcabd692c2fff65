import type Anthropic from "@anthropic-ai/sdk"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { CommandId, EventId, OutcomeId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Effect } from "effect"
import { requires } from "../../../../test/requires.ts"
import { Minting } from "../../src/log/Minting.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import { startGateway, type GatewayWorld, plays, think } from "./gatewayWorld.ts"

requires("postgres")("a session's threads", () => {
  let world: GatewayWorld
  let client: Anthropic
  let session: SessionId
  let child: ThreadId
  let primary: string
  beforeAll(async () => {
    world = await startGateway()
    client = world.client
    const agent = await client.beta.agents.create({ name: "lead", model: "m" })
    const environment = await client.beta.environments.create({ name: "e" })
    const made = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id })
    session = made.id as SessionId
    child = await mint("Thread", ThreadId.make)
    primary = (await client.beta.sessions.threads.list(session)).data[0]!.id
    await send({ _tag: "OpenThread", threadId: child, name: "scout", parentThreadId: null, agent: null })
  }, 120_000)
  afterAll(() => world?.end())

  const mint = <A>(kind: "Thread" | "Event" | "Turn" | "Command" | "Outcome", make: (id: string) => A) =>
    world.node.run(Effect.map(Minting, ({ id }) => make(id(kind, Date.now()))))

  const send = async (body: SessionCommand) => {
    const commandId = await mint("Command", CommandId.make)
    const actor = { type: "system" } as const
    const command = { commandId, at: Date.now(), actor, correlationId: "0".repeat(32), body }
    await world.node.run(Effect.flatMap(Sessions, (sessions) => sessions.handle(session, command)))
  }

  const tell = async (words: string) => {
    const turnId = await mint("Turn", TurnId.make)
    const message = { inputId: await mint("Event", EventId.make), turnId, threadId: child, content: text(words) }
    const input = { _tag: "Message", ...message, mode: "queue", overrides: {}, needsApproval: false } as const
    await send({ _tag: "Send", inputs: [input] })
  }

  const status = async (promise: Promise<unknown>): Promise<number | undefined> =>
    promise.then(
      () => undefined,
      (error: { status: number }) => error.status
    )

  it("are listed, the session's own first", async () => {
    const { data } = await client.beta.sessions.threads.list(session)
    assert.deepStrictEqual(
      data.map(({ id, parent_thread_id }) => [id, parent_thread_id]),
      [
        [primary, null],
        [child, primary]
      ]
    )
    const pages: Array<string> = []
    for await (const { id } of client.beta.sessions.threads.list(session, { limit: 1 })) pages.push(id)
    assert.deepStrictEqual(pages, [primary, child])
    const one = await client.beta.sessions.threads.retrieve(child, { session_id: session })
    assert.deepInclude(one, { status: "idle", archived_at: null, stats: null })
    assert.deepInclude(one.agent, { name: "lead" })
  })

  it("have a list and a stream of their own, in which nothing is of others", async () => {
    world.script(plays(think(4, 1)))
    const stream = await client.beta.sessions.threads.events.stream(child, {
      session_id: session,
      event_deltas: ["agent.message"]
    })
    await tell("look around")
    const streamed: Array<string> = []
    for await (const event of stream) {
      streamed.push(event.type)
      if (event.type === "session.thread_status_idle") break
    }
    const expected = ["user.message", "session.thread_status_running", "agent.message", "session.thread_status_idle"]
    assert.deepStrictEqual(
      streamed.filter((type) => expected.includes(type)),
      expected
    )
    assert.include(streamed, "event_delta")
    const { data } = await client.beta.sessions.threads.events.list(child, { session_id: session })
    // It was idle before anybody streamed it.
    assert.deepStrictEqual(
      data.slice(1).map(({ type }) => type),
      streamed.filter((type) => !type.startsWith("event_")) as never
    )
    const whole = await client.beta.sessions.events.list(session)
    const shown = whole.data.map(({ type }) => type)
    assert.includeMembers(shown, ["session.thread_created", "session.thread_status_idle", "session.status_idle"])
    assert.notInclude(shown, "agent.message")
    const own = await client.beta.sessions.threads.events.list(primary, { session_id: session })
    assert.deepStrictEqual(own.data, whole.data)
  })

  it("know no cursor of another one's list", async () => {
    const first = await client.beta.sessions.threads.events.list(child, { session_id: session, limit: 1 })
    const second = client.beta.sessions.events.list(session, { limit: 1, page: first.next_page! })
    assert.strictEqual(await status(second as never), 400)
  })

  it("are archived when they rest, but for the session's own", async () => {
    const threads = client.beta.sessions.threads
    assert.strictEqual(await status(threads.archive(primary, { session_id: session })), 400)
    const archived = await threads.archive(child, { session_id: session })
    assert.strictEqual(archived.status, "terminated")
    assert.isNotNull(archived.archived_at)
    assert.deepStrictEqual(await threads.archive(child, { session_id: session }), archived)
    const { data } = await threads.list(session, { statuses: ["idle"] })
    assert.deepStrictEqual(
      data.map(({ id }) => id),
      [primary]
    )
    const unknown = await mint("Thread", String)
    assert.strictEqual(await status(threads.archive(unknown, { session_id: session })), 404)
    assert.strictEqual(await status(threads.events.stream(unknown, { session_id: session })), 404)
  })

  it("leave an outcome that was defined pending, and what was said of one is shown", async () => {
    const wanted = {
      type: "user.define_outcome",
      description: "it works",
      rubric: { type: "text", content: "does it?" }
    }
    await client.beta.sessions.events.send(session, { events: [wanted as never] })
    const [pending] = (await client.beta.sessions.retrieve(session)).outcome_evaluations
    assert.deepInclude(pending, { type: "outcome_evaluation", description: "it works", result: "pending" })
    assert.deepInclude(pending, { completed_at: null, iteration: 0, explanation: null })
    const outcomeId = OutcomeId.make(pending!.outcome_id)
    const said = { outcomeId, iteration: 1, result: "satisfied", explanation: "It does.", details: {} }
    await send({ _tag: "Note", event: { _tag: "OutcomeEvaluated", ...said } })
    const [over] = (await client.beta.sessions.retrieve(session)).outcome_evaluations
    assert.deepInclude(over, { result: "satisfied", iteration: 1, explanation: "It does." })
    assert.isNotNull(over!.completed_at)
  })
})
