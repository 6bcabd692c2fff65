import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { EventId, SessionId, ThreadId, TurnId } from "@troupe/domain/Ids"
import { canonical } from "@troupe/domain/CanonicalJson"
import { text } from "@troupe/domain/session/Content"
import type { Decision, Input } from "@troupe/domain/session/Input"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { hash } from "node:crypto"
import { requires } from "../../test/requires.ts"
import { System, wordsOf } from "../support/System.ts"

type Tag = SessionEvent["_tag"]

const all = <T extends Tag>(events: ReadonlyArray<SessionEvent>, tag: T): ReadonlyArray<EventOf<T>> =>
  events.filter((event) => event._tag === tag) as unknown as ReadonlyArray<EventOf<T>>

const asks = { type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }
const allows = { type: "agent_toolset_20260401" }
const people = { type: "troupe_toolset", configs: [{ name: "ask_user" }] }
const lookUp = {
  type: "custom",
  name: "look_up",
  description: "Looks something up.",
  input_schema: { type: "object", properties: { q: { type: "string" } }, required: ["q"] }
}
/** Takes the demo model some seconds to say. */
const longThought = `think: ${"on and on ".repeat(100)}`

requires(
  "postgres",
  "bubblewrap",
  "root"
)("people and their agents", () => {
  let system: System

  beforeAll(async () => {
    system = await System.make(11)
    await system.node()
    system.runner()
  }, 180_000)
  afterAll(() => system.end(), 60_000)

  const node = () => system.nodes.at(-1)!
  const send = (session: SessionId, ...inputs: ReadonlyArray<Input>) =>
    system.send(node(), session, { _tag: "Send", inputs })
  const inputId = () => system.mint("Event") as EventId

  const answer = (callId: EventId, given: string): Input => ({
    _tag: "Answer",
    inputId: inputId(),
    callId,
    answer: given
  })
  const confirm = (callId: EventId, decision: Decision): Input => ({
    _tag: "Confirmation",
    inputId: inputId(),
    callId,
    decision
  })
  const suspended = (session: SessionId, times = 1) =>
    system.until(session, `${times} suspensions`, (events) => all(events, "TurnSuspended").length >= times)
  const callOf = (events: ReadonlyArray<SessionEvent>, name: string) =>
    all(events, "ToolRequested").findLast((call) => call.name === name)!

  /** A node that is gone at once, and another in its place: at the address that runners know. */
  const killNode = async () => {
    const { gateway } = node()
    await node().end("SIGKILL")
    await system.node({ TROUPE_PORT: new URL(gateway).port })
  }

  describe("a question", () => {
    it(
      "waits through the end of its node and its runner, and takes only an answer that fits",
      { timeout: 240_000 },
      async () => {
        const session = await system.open(node(), { tools: [allows, people] })
        await system.say(node(), session, "ask me Which? red / blue")
        const { callId, question } = callOf(await suspended(session), "ask_user")
        assert.deepStrictEqual(question, {
          kind: "choice",
          text: "Which?",
          options: [{ label: "red" }, { label: "blue" }],
          allowOther: false
        })
        await killNode()
        await system.runners[0]!.stop("SIGKILL")
        system.runners[0]!.start()
        const refused = await send(session, answer(callId, "green")).catch(String)
        assert.match(String(refused), /Invalid.*is none of/)
        await send(session, answer(callId, "blue"))
        const events = await system.turnsEnded(session, 1)
        assert.include(
          events.map(({ _tag }) => _tag),
          "TurnCompleted"
        )
        assert.lengthOf(all(events, "QuestionAnswered"), 1)
        assert.include(wordsOf(all(events, "MessageBlock")), "blue")
      }
    )
  })

  describe("a command that wants to know something", () => {
    it("is told by a person, in the sandbox and without a model", { timeout: 240_000 }, async () => {
      const session = await system.open(node(), { harness: "shell", model: "none", tools: [allows, people] })
      const replies = [{ prompt: "Where to?", ask: "Where is it to go?", options: ["staging", "production"] }]
      const run = 'printf "Where to? "; read -r to; echo "off to $to"'
      await system.say(node(), session, JSON.stringify({ commands: [{ run, replies }] }))
      const waiting = await suspended(session)
      assert.lengthOf(all(waiting, "ToolStarted"), 0)
      await send(session, answer(callOf(waiting, "ask_user").callId, "staging"))
      const events = await system.turnsEnded(session, 1)
      assert.include(wordsOf(all(events, "ToolFinished")), "Where to? off to staging")
    })
  })

  describe("a batch of calls", () => {
    it("of which each waits for somebody else is finished by a next attempt", { timeout: 240_000 }, async () => {
      const session = await system.open(node(), { tools: [asks, people, lookUp] })
      const lines = ["run: echo never > ran.txt", '& call look_up {"q":"x"}', "& ask me Name?", "& call nothing"]
      await system.say(node(), session, lines.join("\n"))
      const waiting = await suspended(session)
      assert.deepStrictEqual(
        all(waiting, "ToolRequested").map(({ awaits, name }) => [name, awaits]),
        [
          ["bash", "confirmation"],
          ["look_up", "result"],
          ["ask_user", "answer"],
          ["nothing", "nothing"]
        ]
      )
      const callId = callOf(waiting, "look_up").callId
      const result = { content: text("found it"), isError: false, executor: "client" } as const
      await send(session, { _tag: "ToolResult", inputId: inputId(), callId, ...result })
      await send(session, answer(callOf(waiting, "ask_user").callId, "Ada"))
      const input = { command: "echo edited > ran.txt; cat ran.txt" }
      const inputDigest = hash("sha256", canonical(input), "hex")
      await send(session, confirm(callOf(waiting, "bash").callId, { type: "allow_edited", input, inputDigest }))
      const events = await system.turnsEnded(session, 1)
      assert.lengthOf(all(events, "AttemptStarted"), 2)
      assert.lengthOf(all(events, "ToolStarted"), 1)
      const said = wordsOf(all(events, "MessageBlock"))
      for (const words of ["edited", "found it", "Ada"]) assert.include(said, words)
      assert.notInclude(wordsOf(all(events, "ToolFinished")), "never")
    })
  })

  describe("a permission for the session", () => {
    it("reaches an attempt that is at work", { timeout: 240_000 }, async () => {
      const session = await system.open(node(), { tools: [asks] })
      const other = system.mint("Thread") as ThreadId
      await system.send(node(), session, {
        _tag: "OpenThread",
        threadId: other,
        name: "other",
        parentThreadId: null,
        agent: null
      })
      await send(session, system.message(`${longThought}\nrun: echo later`))
      await send(session, system.message("run: echo first", { threadId: other }))
      const waiting = await suspended(session)
      await send(session, confirm(callOf(waiting, "bash").callId, { type: "allow_session" }))
      const events = await system.turnsEnded(session, 2)
      const [, later] = all(events, "ToolRequested")
      assert.deepStrictEqual([later?.awaits, later?.verdict.reason], ["nothing", "allowed for the whole session"])
      assert.lengthOf(
        all(events, "AttemptStarted").filter(({ threadId }) => threadId !== other),
        1
      )
    })
  })

  describe("a preset", () => {
    it("holds calls and the sandbox for its turn, and leaves the files", { timeout: 240_000 }, async () => {
      const session = await system.open(node(), { tools: [allows] })
      const look = "run: ls /run/troupe 2>&1; cat kept.txt"
      const under = (preset: string, words: string) =>
        send(session, system.message(words, { overrides: { permissionPreset: preset } }))
      await system.say(node(), session, `run: echo kept > kept.txt\n${look}`)
      const open = await system.turnsEnded(session, 1)
      assert.include(wordsOf(all(open, "ToolFinished")), "egress.sock")
      await under("safe", `${look}\nrun: git push`)
      const safe = (await system.turnsEnded(session, 2)).slice(open.length)
      assert.notInclude(wordsOf(all(safe, "ToolFinished")), "egress.sock")
      assert.include(wordsOf(all(safe, "ToolFinished")), "kept")
      const [, push] = all(safe, "ToolRequested")
      assert.deepInclude(push?.verdict, { permission: "deny", rule: "turn.preset.safe.no_git_writes" })
      await under("read_only", "run: touch x\nread file kept.txt")
      const reading = (await system.turnsEnded(session, 3)).slice(open.length + safe.length)
      assert.deepStrictEqual(
        all(reading, "ToolFinished").map(({ outcome }) => outcome),
        ["denied", "succeeded"]
      )
      await system.say(node(), session, look)
      const again = (await system.turnsEnded(session, 4)).slice(open.length + safe.length + reading.length)
      assert.include(wordsOf(all(again, "ToolFinished")), "egress.sock")
    })
  })

  describe("a queue", () => {
    it(
      "is edited, moved, withdrawn from and steered while a turn runs, and stopped, paused and gone on with",
      { timeout: 240_000 },
      async () => {
        const session = await system.open(node(), { tools: [allows] })
        const started = (turnId: TurnId) =>
          system.until(session, "a turn starts to be worked on", (events) =>
            all(events, "ModelRequestStarted").some((request) => request.turnId === turnId)
          )
        const queued = { queueVersion: null }
        const messages = ["first", "second", "third", "fourth"].map((name) => system.message(`say: ${name}`))
        const running = system.message(`${longThought}\nrun: echo one\nrun: echo two`)
        await send(session, running, ...messages)
        const [first, second, third, fourth] = messages
        await started(running.turnId)
        await system.send(node(), session, {
          _tag: "EditTurn",
          turnId: first!.turnId,
          content: text("say: edited"),
          ...queued
        })
        const moved = { turnId: fourth!.turnId, before: first!.turnId, ...queued }
        await system.send(node(), session, { _tag: "MoveTurn", ...moved })
        await system.send(node(), session, { _tag: "WithdrawTurn", turnId: second!.turnId, ...queued })
        await system.send(node(), session, { _tag: "SteerTurn", turnId: third!.turnId, ...queued })
        const events = await system.turnsEnded(session, 3)
        assert.deepStrictEqual(
          all(events, "TurnStarted").map(({ turnId }) => turnId),
          [running.turnId, fourth!.turnId, first!.turnId]
        )
        const taken = all(events, "MessageTaken")
        const steered = taken.find((one) => one.inputId === third!.inputId)
        assert.strictEqual(steered?.turnId, running.turnId)
        assert.include(wordsOf(taken.filter(({ turnId }) => turnId === first!.turnId)), "edited")

        const stopped = system.message(longThought)
        await send(session, stopped)
        await started(stopped.turnId)
        await send(session, { _tag: "Interrupt", inputId: inputId(), threadId: null })
        assert.lengthOf(all(await system.turnsEnded(session, 4), "TurnInterrupted"), 1)

        const paused = system.message(`${longThought}\nrun: echo paused`)
        await send(session, paused, system.message("say: after"))
        await started(paused.turnId)
        await system.send(node(), session, { _tag: "Pause" })
        const resting = await system.until(session, "the turn pauses", (log) =>
          all(log, "TurnSuspended").some(({ reason }) => reason === "paused")
        )
        assert.lengthOf(all(resting, "TurnStarted"), 5)
        await system.send(node(), session, { _tag: "Resume" })
        const done = await system.turnsEnded(session, 6)
        assert.include(wordsOf(all(done, "MessageBlock")), "after")
        assert.include(wordsOf(all(done, "ToolFinished")), "paused")
      }
    )

    it("has a turn that failed tried again, which adds to what it was", { timeout: 240_000 }, async () => {
      const session = await system.open(node(), { tools: [allows] })
      const failing = system.message("fail")
      await send(session, failing)
      const failed = await system.turnsEnded(session, 1)
      assert.deepInclude(all(failed, "TurnFailed")[0], { turnId: failing.turnId, retryStatus: "exhausted" })
      const attempts = all(failed, "AttemptStarted").length
      await system.send(node(), session, { _tag: "RetryTurn", turnId: failing.turnId })
      const again = (await system.turnsEnded(session, 2)).slice(failed.length)
      assert.lengthOf(all(again, "TurnRetried"), 1)
      const [first] = all(again, "AttemptStarted")
      assert.deepStrictEqual([first?.turnId, first?.number], [failing.turnId, attempts + 1])
    })
  })

  describe("a workspace's day", () => {
    it("holds turns at its limit until that is raised", { timeout: 240_000 }, async () => {
      const settle = (max: number) =>
        system.query(`
          INSERT INTO workspace_settings (workspace_id, settings)
          SELECT workspace_id,
            '{"policies":[],"dayLimits":[{"metric":"model_requests","max":${max},"enforcement":"hard"}]}'
          FROM workspaces
          ON CONFLICT (workspace_id) DO UPDATE SET settings = excluded.settings`)
      await settle(1)
      const session = await system.open(node(), { tools: [allows] })
      // It is held before it begins, or before its next request where it was quicker than the limit.
      await system.say(node(), session, `${longThought}\nrun: echo one\nrun: echo at last`)
      await system.until(session, "it waits for the budget", (events) =>
        all(events, "TurnWaiting").some(({ reason }) => reason.startsWith("budget:"))
      )
      await settle(1_000_000)
      const events = await system.turnsEnded(session, 1)
      assert.include(wordsOf(all(events, "MessageBlock")), "at last")
    })
  })
})
