/**
 * A session through everything that a turn can do, told as it happens and checked: `node e2e/system/features.ts` on the demo
 * model, `node e2e/system/features.ts openai` on a fake OpenAI server, over the SDK of OpenAI and real HTTP.
 */
import { canonical } from "@troupe/domain/CanonicalJson"
import type { EventId, SessionId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { Decision, Input } from "@troupe/domain/session/Input"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Scope } from "effect"
import { strict as assert } from "node:assert"
import { hash } from "node:crypto"
import { serving } from "../../packages/runner/test/mcp/world.ts"
import { OpenAiServer } from "../support/OpenAiServer.ts"
import { type SessionOptions, System, wordsOf } from "../support/System.ts"
import { lineOf } from "./lineOf.ts"
import { only } from "./waiting.ts"

const kind = process.argv[2] === "openai" ? "openai" : "demo"
const model = kind === "openai" ? "openai/gpt-4.1" : "demo"
const asks = { type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }
const plans = { type: "troupe_toolset", configs: [{ name: "update_plan" }] }
const people = { type: "troupe_toolset", configs: [{ name: "ask_user" }] }
const lookUp = {
  type: "custom",
  name: "look_up",
  description: "Looks something up.",
  input_schema: { type: "object", properties: { q: { type: "string" } }, required: ["q"] }
}
const longTalk = `say: ${"on and on ".repeat(60)}`

const system = await System.make()
const server = await OpenAiServer.start()
const scope = Scope.makeUnsafe()
const everything = await Effect.runPromise(Scope.provide(serving("streamableHttp"), scope))
const begun = Date.now()
let session: SessionId
let shown = 0
let events: ReadonlyArray<SessionEvent> = []

const say = (line: string) => console.log(`${((Date.now() - begun) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
const node = () => system.nodes[0]!
const inputId = () => system.mint("Event") as EventId
const send = (...inputs: ReadonlyArray<Input>) => system.send(node(), session, { _tag: "Send", inputs })
const look = (found: ReadonlyArray<SessionEvent>) => {
  events = found
  for (const event of found.slice(shown)) {
    const line = lineOf(event)
    if (line !== null) say(`  ${line}`)
  }
  shown = found.length
}
const until = async (what: string, holds: (fresh: ReadonlyArray<SessionEvent>) => boolean) => {
  const before = shown
  look(await system.until(session, what, (all) => holds(all.slice(before))))
  return events.slice(before)
}
const ended = () =>
  until("the turn ends", (fresh) =>
    fresh.some(({ _tag }) => _tag === "TurnCompleted" || _tag === "TurnFailed" || _tag === "TurnInterrupted")
  )
const waits = () => until("somebody is waited for", (fresh) => only(fresh, "TurnSuspended").length > 0)
const begins = () => until("the model is asked", (fresh) => only(fresh, "ModelRequestStarted").length > 0)
const callOf = (fresh: ReadonlyArray<SessionEvent>): EventOf<"ToolRequested"> => only(fresh, "ToolRequested").at(-1)!
const confirm = (callId: EventId, decision: Decision) =>
  send({ _tag: "Confirmation", inputId: inputId(), callId, decision })
const results = (fresh: ReadonlyArray<SessionEvent>) => wordsOf(only(fresh, "ToolFinished"))

const begin = async (options: SessionOptions) => {
  session = await system.open(node(), options)
  shown = 0
  events = []
}
const billedOnce = () => {
  const [started, over] = [only(events, "ModelRequestStarted"), only(events, "ModelRequestEnded")]
  assert.equal(new Set(over.map(({ requestId }) => requestId)).size, started.length)
  assert.equal(over.length, started.length)
}

const chapter = async (title: string, story: () => Promise<void>) => {
  say(`# ${title}`)
  await story()
}

const story = async () => {
  await begin({ model, tools: [{ type: "agent_toolset_20260401" }, plans] })
  await chapter("An answer, as it is said", async () => {
    await send(system.message("say: Good morning to everybody who reads this."))
    assert.match(wordsOf(only(await ended(), "MessageBlock")), /Good morning/)
  })
  await chapter("Two calls side by side", async () => {
    await send(system.message("run: sleep 0.2; echo one\n& run: sleep 0.2; echo two"))
    const fresh = await ended()
    const tags = fresh.map(({ _tag }) => _tag)
    assert.ok(tags.lastIndexOf("ToolRequested") < tags.indexOf("ToolFinished"), "the second waits for the first")
    assert.match(results(fresh), /one[^]*two|two[^]*one/)
  })
  await chapter("A plan that people see, and what the turn changed", async () => {
    const steps = (status: string) => JSON.stringify({ plan: [{ step: "write it down", status }] })
    const [begun, done] = ["in_progress", "completed"].map((status) => `call update_plan ${steps(status)}`)
    await send(system.message(`${begun}\nwrite file notes Line one\n${done}`))
    const fresh = await ended()
    assert.equal(only(fresh, "PlanUpdated").length, 2)
    assert.equal(only(fresh, "WorkingCopyCaptured")[0]?.changes?.added, 1)
  })
  await chapter("A running turn is steered", async () => {
    await send(system.message(`${longTalk}\nrun: echo first`))
    await begins()
    await send(system.message("run: echo steered", { mode: "steer" }))
    const fresh = await ended()
    assert.match(results(fresh), /steered/)
  })
  await chapter("A turn is interrupted, and what was said stays", async () => {
    await send(system.message(longTalk))
    await begins()
    await send({ _tag: "Interrupt", inputId: inputId(), threadId: null })
    assert.equal(only(await ended(), "TurnInterrupted").length, 1)
  })
  await chapter("Turns that wait are edited, moved and withdrawn", async () => {
    const waiting = ["first", "second", "third"].map((name) => system.message(`say: ${name}`))
    const running = system.message(`${longTalk}\nrun: echo busy`)
    await send(running, ...waiting)
    const [first, second, third] = waiting
    const queued = { queueVersion: null }
    const edited = { turnId: first!.turnId, content: text("say: edited"), ...queued }
    await system.send(node(), session, { _tag: "EditTurn", ...edited })
    await system.send(node(), session, { _tag: "MoveTurn", turnId: third!.turnId, before: first!.turnId, ...queued })
    await system.send(node(), session, { _tag: "WithdrawTurn", turnId: second!.turnId, ...queued })
    const fresh = await until("three turns end", (found) => only(found, "TurnCompleted").length === 3)
    assert.deepEqual(
      only(fresh, "TurnStarted").map(({ turnId }) => turnId),
      [running.turnId, third!.turnId, first!.turnId]
    )
    assert.match(wordsOf(only(fresh, "MessageBlock")), /edited/)
  })
  await chapter("A pause, and going on", async () => {
    await send(system.message(`${longTalk}\nrun: echo after the pause`))
    await begins()
    await system.send(node(), session, { _tag: "Pause" })
    await waits()
    await system.send(node(), session, { _tag: "Resume" })
    await ended()
    assert.match(results(events), /after the pause/)
  })
  await chapter("A conversation that is too long is summed up", async () => {
    const much = kind === "openai" ? "too much for the window" : "blah ".repeat(131_000)
    await send(system.message(`say: still here\n${much}`))
    const fresh = await ended()
    assert.equal(only(fresh, "ContextCompacted").length, 1)
    assert.match(wordsOf(only(fresh, "MessageBlock")), /still here/)
  })
  await chapter("A turn fails after three attempts, and is tried again", async () => {
    const failing = system.message("fail")
    await send(failing)
    const fresh = await ended()
    assert.equal(only(fresh, "AttemptStarted").length, 3)
    await system.send(node(), session, { _tag: "RetryTurn", turnId: failing.turnId })
    assert.equal(only(await ended(), "TurnRetried").length, 1)
  })

  billedOnce()

  await begin({ model, tools: [asks, people, lookUp] })
  await chapter("Approvals: once, with other arguments, denied, for the session", async () => {
    await send(system.message("run: echo once"))
    await confirm(callOf(await waits()).callId, { type: "allow_once" })
    assert.match(results(await ended()), /once/)
    await send(system.message("run: echo never"))
    const input = { command: "echo edited" }
    const inputDigest = hash("sha256", canonical(input), "hex")
    await confirm(callOf(await waits()).callId, { type: "allow_edited", input, inputDigest })
    assert.match(results(await ended()), /edited/)
    await send(system.message("run: echo never"))
    await confirm(callOf(await waits()).callId, { type: "deny", message: "Not today." })
    assert.match(results(await ended()), /Not today/)
    await send(system.message("run: echo for good"))
    await confirm(callOf(await waits()).callId, { type: "allow_session" })
    await ended()
    await send(system.message("run: echo without asking"))
    assert.match(results(await ended()), /without asking/)
  })
  await chapter("A question to a person, and a tool of the client", async () => {
    await send(system.message("ask me Which? red / blue"))
    const question = callOf(await waits())
    await send({ _tag: "Answer", inputId: inputId(), callId: question.callId, answer: "blue" })
    assert.match(wordsOf(only(await ended(), "MessageBlock")), /blue/)
    await send(system.message('call look_up {"q":"x"}'))
    const { callId } = callOf(await waits())
    const result = { content: text("found it"), isError: false, executor: "client" } as const
    await send({ _tag: "ToolResult", inputId: inputId(), callId, ...result })
    assert.match(wordsOf(only(await ended(), "MessageBlock")), /found it/)
  })
  billedOnce()

  const mcpServers = [{ type: "url", name: "everything", url: `http://127.0.0.1:${everything.port}/mcp` }]
  const policy = { permission_policy: { type: "always_allow" } }
  const offered = { type: "mcp_toolset", mcp_server_name: "everything", default_config: policy }
  await begin({ model, tools: [offered], mcpServers })
  await chapter("A tool of an MCP server", async () => {
    await send(system.message('call mcp__everything__echo {"message":"over there"}'))
    assert.match(results(await ended()), /over there/)
  })
  billedOnce()

  const limit = (max: number, enforcement: "soft" | "hard") =>
    ({ metric: "model_requests", max, enforcement, scope: "session" }) as const
  await begin({ model, budget: [limit(1, "soft"), limit(4, "hard")] })
  await chapter("A soft limit asks, a hard one stops", async () => {
    await send(system.message("run: echo soft"))
    await until("the limit is told", (fresh) => only(fresh, "BudgetReached").length > 0)
    await system.send(node(), session, { _tag: "ChangeBudget", budget: [limit(4, "hard")] })
    await until("the turn ends", (fresh) => [...events, ...fresh].some(({ _tag }) => _tag === "TurnCompleted"))
    assert.match(results(events), /soft/)
    await send(system.message("run: echo hard\nrun: echo harder"))
    await waits()
    const refused = await send(system.message("say: more")).catch(String)
    assert.match(String(refused), /BudgetReached/)
    await system.send(node(), session, { _tag: "ChangeBudget", budget: [] })
    await ended()
    assert.match(results(events), /harder/)
  })
  billedOnce()
}

const chaptersBeside = async () => {
  const rules = [{ tool: "bash", when: { command: "*secrets*" }, then: "deny", reason: "Secrets stay." }]
  await begin({ model, policies: [{ type: "rules", rules }] })
  await chapter("A rule denies a call, whatever the prompt says, and the log has which", async () => {
    await send(system.message("run: cat secrets.txt\nrun: echo allowed"))
    const fresh = await ended()
    assert.deepEqual(
      only(fresh, "ToolFinished").map(({ outcome }) => outcome),
      ["denied", "succeeded"]
    )
    assert.match(results(fresh), /allowed/)
  })
  billedOnce()

  await begin({ harness: "shell", model: "none" })
  await chapter("Commands without a model", async () => {
    await send(
      system.message(
        JSON.stringify({ commands: [{ run: "echo $GREETING", env: { GREETING: "hello" } }, { run: "exit 3" }] })
      )
    )
    const fresh = await ended()
    assert.match(results(fresh), /hello/)
    assert.match(wordsOf(fresh), /3/)
  })
  billedOnce()
}

try {
  await system.node()
  const provider = kind === "openai" ? { OPENAI_API_KEY: "a key", OPENAI_BASE_URL: `${server.url}/v1` } : {}
  system.runner({ env: { ...provider, TROUPE_EGRESS_ALLOW: `127.0.0.1:${everything.port}` } })
  await story()
  await chaptersBeside()
  say("All of it is as it should be.")
} catch (error) {
  process.exitCode = 1
  for (const { output } of system.runners) process.stderr.write(output.join(""))
  say(`This is not as it should be: ${error instanceof Error ? error.message.slice(0, 4_000) : String(error)}`)
} finally {
  await system.end()
  server.stop()
  await Effect.runPromise(Scope.close(scope, Exit.void))
}
