import { Effect, Redacted, Stream } from "effect"
import { afterAll, assert, beforeAll, it } from "vitest"
import {
  type ApiError,
  ConflictError,
  type LogEvent,
  NotFoundError,
  type SessionHandle,
  type TimelineAt,
  Troupe
} from "@troupe/client"
import { verifyBundle } from "@troupe/client/verifyBundle"
import { TroupeClient } from "@troupe/client/effect"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { requires } from "../../test/requires.ts"
import { System } from "../support/System.ts"

const long = 180_000

const toolsWith = (type: "always_allow" | "always_ask") => [
  { type: "agent_toolset_20260401", default_config: { permission_policy: { type } } },
  { type: "troupe_toolset", configs: [{ name: "ask_user" }] }
]

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a session through the client", () => {
  let system: System
  let troupe: Troupe

  beforeAll(async () => {
    system = await System.make(12)
    const { gateway } = await system.node()
    system.runner()
    troupe = new Troupe({ baseURL: gateway, apiKey })
  }, long)
  afterAll(() => system.end(), 60_000)

  const open = async (policy: "always_allow" | "always_ask" = "always_allow"): Promise<SessionHandle> => {
    const agent = await troupe.agents.create({ name: "worker", model: "demo", tools: toolsWith(policy) })
    return await troupe.open({ agent: agent.id })
  }

  const wordsOf = async (session: SessionHandle): Promise<string> => {
    let words = ""
    for await (const event of session.events({ "types[]": ["agent.message"] })) {
      if (event.type !== "agent.message") continue
      for (const block of event.content) if (block.type === "text") words += block.text
    }
    return words
  }

  /** The calls that the session waits for somebody to decide or to answer. */
  const asked = async (session: SessionHandle): Promise<string> => {
    const { stop_reason } = await session.until("idle", { signal: AbortSignal.timeout(long) })
    if (stop_reason.type !== "requires_action") return assert.fail(`it rests because of ${stop_reason.type}`)
    return stop_reason.event_ids[0]!
  }

  it("is opened, does what it is told, and shows what it did", { timeout: long }, async () => {
    const session = await open()
    const sent = await session.send("run: echo $((40 + 2))")
    assert.strictEqual(sent.type, "user.message")
    const { stop_reason } = await session.until("idle")
    assert.strictEqual(stop_reason.type, "end_turn")
    assert.include(await wordsOf(session), "42")
    const { seq, timeline } = await session.timeline()
    const [turn] = timeline.threads[0]!.turns
    assert.strictEqual(turn!.state, "completed")
    const call = turn!.items.find((item) => item.kind === "call")
    assert.deepInclude(call as object, { name: "bash", outcome: "succeeded", isError: false })
    let last = 0
    for await (const event of session.log({ limit: 7 })) assert.strictEqual(event.seq, ++last)
    assert.strictEqual(last, seq)
    assert.strictEqual((await session.retrieve()).status, "idle")
  })

  it("waits for people: they allow, refuse, answer and interrupt", { timeout: long }, async () => {
    const session = await open("always_ask")
    await session.send("run: echo allowed")
    await session.approve(await asked(session))
    await session.until("idle")
    assert.include(await wordsOf(session), "allowed")
    await session.send("run: echo refused")
    await session.deny(await asked(session), "because I say so")
    await session.until("idle")
    assert.include(await wordsOf(session), "because I say so")
    await session.send("ask me Which? red / blue")
    await session.answer(await asked(session), "blue")
    await session.until("idle")
    assert.include(await wordsOf(session), "blue")
    const busy = await open()
    await using stream = await busy.stream()
    await busy.send("run: sleep 600")
    for await (const event of stream) if (event.type === "agent.tool_use") break
    await busy.interrupt()
    await busy.until("idle")
    const { timeline } = await busy.timeline()
    assert.strictEqual(timeline.threads[0]!.turns[0]!.state, "interrupted")
  })

  it("is followed through the death of its node, each event once", { timeout: long }, async () => {
    const session = await open()
    const log: Array<LogEvent> = []
    const views: Array<TimelineAt> = []
    const stream = await session.followLog()
    const following = (async () => {
      for await (const event of stream) log.push(event)
    })()
    const watching = (async () => {
      for await (const view of session.timeline()) {
        views.push(view)
        if (view.timeline.threads[0]?.turns[0]?.state === "completed") return
      }
    })()
    await using live = await session.stream({ deltas: true })
    await session.send("run: echo begun; sleep 3; echo done $((1 + 1))")
    for await (const event of live) if (event.type === "agent.tool_use") break
    const node = system.nodes.at(-1)!
    await node.end("SIGKILL")
    const back = system.node({ TROUPE_PORT: new URL(node.gateway).port })
    // Asked while no node is there to answer.
    await session.until("idle", { maxRetries: 20 })
    await Promise.all([back, watching])
    assert.include(await wordsOf(session), "done 2")
    const { seq, timeline } = await session.timeline()
    while (log.at(-1)!.seq < seq) await new Promise((resolve) => setTimeout(resolve, 20))
    stream.close()
    await following
    assert.deepStrictEqual(
      log.map((event) => event.seq),
      Array.from({ length: seq }, (_, index) => index + 1)
    )
    assert.deepInclude(views.at(-1)!.timeline.threads[0]!.turns[0]!, {
      state: timeline.threads[0]!.turns[0]!.state
    })
  })

  it("is used by effects as well, by the same contract", { timeout: long }, async () => {
    const program = Effect.gen(function* () {
      const client = yield* TroupeClient
      const agent = yield* client.agents.createAgent({ payload: { name: "effectful", model: "demo" } })
      const session = yield* client.sessions.createSession({ payload: { agent: agent.id } })
      const params = { id: session.id }
      const content = [{ type: "text", text: "say: hello" }]
      yield* client.events.sendEvents({ params, payload: { events: [{ type: "user.message", content }] } })
      const log = yield* client.events.streamLog({ params, query: {} })
      const types = yield* log.pipe(
        Stream.map(({ type }) => type),
        Stream.takeUntil((type) => type === "TurnCompleted"),
        Stream.runCollect
      )
      const followed = yield* client.followLog(session.id).pipe(
        Stream.map(({ type }) => type),
        Stream.take(types.length),
        Stream.runCollect
      )
      const refused = yield* Effect.flip(
        client.agents.retrieveAgent({ params: { id: session.id as never }, query: {} })
      )
      return { followed, types, refused }
    })
    const layer = TroupeClient.layerFetch({ baseURL: troupe.baseURL, apiKey: Redacted.make(apiKey) })
    const { followed, refused, types } = await Effect.runPromise(Effect.provide(program, layer))
    assert.deepStrictEqual([types[0], types.at(-1)], ["SessionOpened", "TurnCompleted"])
    assert.deepStrictEqual<ReadonlyArray<string>>(followed, types)
    assert.match(String(refused), /id/)
  })

  it("is given files, and gives some", { timeout: long }, async () => {
    const content = new TextEncoder().encode("a,b\n1,2\n")
    const file = await troupe.files.upload({ name: "table.csv", content, type: "text/csv" })
    assert.deepInclude(file as object, { filename: "table.csv", mime_type: "text/csv", size_bytes: content.length })
    assert.strictEqual(await (await troupe.files.download(file.id)).text(), "a,b\n1,2\n")
    const session = await open()
    const resource = await troupe.sessions.resources.add(session.id, { type: "file", file_id: file.id })
    const { data } = await troupe.sessions.resources.list(session.id)
    assert.deepStrictEqual(
      data.map(({ id }) => id),
      [resource.id]
    )
    await troupe.files.delete(file.id)
    assert.instanceOf(await troupe.files.download(file.id).catch((error: unknown) => error), NotFoundError)
  })

  it("is worked on by people beside its agent", { timeout: long }, async () => {
    const session = await open()
    await session.send("run: echo by the agent > one")
    await session.until("idle")
    const { ending, stdout } = await session.exec("cat one; echo $((6 * 7))")
    assert.deepStrictEqual([stdout, ending.exit_code], ["by the agent\n42\n", 0])
    let said = ""
    for await (const output of troupe.sessions.place.execStream(session.id, { command: "echo streamed; exit 3" })) {
      if (output.type === "ended") assert.strictEqual(output.ending.exit_code, 3)
      else said += new TextDecoder().decode(output.data)
    }
    assert.strictEqual(said, "streamed\n")
    const { files, place } = troupe.sessions
    const entry = await files.write(session.id, "two", "by a person", { version: null })
    assert.strictEqual(await (await files.read(session.id, "two")).text(), "by a person")
    const again = await files.write(session.id, "two", "x", { version: null }).catch((error: unknown) => error)
    assert.strictEqual((again as ApiError).status, 412)
    await files.write(session.id, "two", "changed", { version: entry.version })
    const { data } = await place.changes(session.id)
    assert.includeMembers(
      data.map((change) => change.path),
      ["one", "two"]
    )
    const kept = await files.promote(session.id, "two", { filename: "kept.txt" })
    await files.delete(session.id, "two")
    assert.deepStrictEqual([kept.filename, kept.scope?.id], ["kept.txt", session.id])
    assert.strictEqual(await (await troupe.files.download(kept.id)).text(), "changed")
  })

  it("is replayed, forked and proved", { timeout: long }, async () => {
    const session = await open()
    await session.send("say: first")
    await session.until("idle")
    const { seq } = await session.timeline()
    const { replay, turns } = troupe.sessions
    assert.strictEqual((await replay.state(session.id)).seq, seq)
    assert.isAbove((await replay.diff(session.id, { from: 0 })).patch.length, 0)
    assert.strictEqual((await replay.why(session.id, seq)).seq, seq)
    assert.isTrue((await replay.verify(session.id, { level: "1" })).ok)
    assert.include(await session.output(), "first")
    const bundle = await (await replay.export(session.id)).text()
    assert.isTrue((await verifyBundle([bundle])).ok)
    const [turn] = (await turns.list(session.id)).data
    assert.strictEqual(turn!.status, "completed")
    const fork = await session.fork({ turn: turn!.id, title: "another way" })
    assert.strictEqual((await fork.retrieve()).title, "another way")
    await fork.send("say: second")
    await fork.until("idle")
    assert.include(await fork.output(), "second")
    const redact = () => troupe.sessions.redact(session.id, { events: [turn!.event_id!], reason: "asked for" })
    let redacted = await redact()
    while (!redacted.applied) redacted = await redact()
    assert.deepStrictEqual(redacted.forks, [fork.id])
  })

  it("keeps its queue in the order that people give it", { timeout: long }, async () => {
    const session = await open()
    await session.pause()
    await session.send("say: one")
    await session.send("say: two")
    const { turns } = troupe.sessions
    const [queue] = await turns.queues(session.id)
    const [one, two] = queue!.data
    const moved = await turns.move(session.id, two!.id, { before: one!.id, queue_version: queue!.version })
    assert.deepStrictEqual(
      moved.data.map(({ id }) => id),
      [two!.id, one!.id]
    )
    const stale = await turns
      .withdraw(session.id, one!.id, { queue_version: queue!.version })
      .catch((error: unknown) => error)
    assert.instanceOf(stale, ConflictError)
    assert.strictEqual((stale as ConflictError).queueVersion, moved.version)
    await turns.withdraw(session.id, one!.id)
  })

  it("asks in the inbox of its workspace", { timeout: long }, async () => {
    const session = await open("always_ask")
    await session.send("run: echo from the inbox")
    const call = await asked(session)
    // The inbox across sessions follows the log a moment later.
    let { data } = await troupe.approvals.list({ session_id: session.id })
    while (data.length === 0) ({ data } = await troupe.approvals.list({ session_id: session.id }))
    assert.deepStrictEqual(
      data.map(({ id, tool }) => [id, tool]),
      [[call, "bash"]]
    )
    const { input_digest } = data[0]!
    await troupe.approvals.answer(call, { result: "allow", scope: "session", input_digest })
    await session.until("idle")
    await session.send("ask me Which? red / blue")
    const question = await asked(session)
    await troupe.sessions.questions.answer(session.id, question, "red")
    await session.until("idle")
    assert.include(await wordsOf(session), "red")
    assert.strictEqual((await troupe.access.me()).type, "me")
  })

  it("is listed with others, and is gone once it is deleted", { timeout: long }, async () => {
    const sessions = [await open(), await open(), await open()]
    const ids = new Set<string>()
    for await (const { id } of troupe.sessions.list({ limit: 2 })) ids.add(id)
    for (const { id } of sessions) assert.isTrue(ids.has(id))
    const key = "opened-once"
    const agent = (await troupe.agents.list({ limit: 1 })).data[0]!
    const [one, again] = await Promise.all([
      troupe.open({ agent: agent.id }, { idempotencyKey: key }),
      troupe.open({ agent: agent.id }, { idempotencyKey: key })
    ])
    assert.strictEqual(one.id, again.id)
    await one.delete()
    const { data, requestId, response } = await sessions[0]!.retrieve().withResponse()
    assert.deepStrictEqual([data.id, response.headers.get("request-id")], [sessions[0]!.id, requestId])
    const gone = await one.retrieve().catch((error: unknown) => error)
    assert.instanceOf(gone, NotFoundError)
    assert.match((gone as NotFoundError).requestId!, /^req_/)
  })
})
