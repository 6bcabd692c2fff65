import { text } from "@troupe/domain/session/Content"
import { strict as assert } from "node:assert"
import { only } from "../waiting.ts"
import { callOf, longTalk, outcomes, results, said, type Story } from "./Story.ts"

const plans = { type: "troupe_toolset", configs: [{ name: "update_plan" }] }

/** What a turn does by itself, and what becomes of turns that wait, run and fail. */
export const turns = async (story: Story) => {
  await story.begin({ tools: [{ type: "agent_toolset_20260401" }, plans] })
  await story.chapter("An answer, as it is said", async () => {
    assert.match(said(await story.turn("say: Good morning to everybody who reads this.")), /Good morning/)
  })
  await story.chapter("Two calls side by side", async () => {
    // Each of them is answered once both have asked.
    const meet = `fetch ${story.world.server.url}/meet`
    const fresh = await story.turn(`${meet}\n& ${meet}`)
    const tags = fresh.map(({ _tag }) => _tag)
    assert.ok(tags.lastIndexOf("ToolStarted") < tags.indexOf("ToolFinished"), "the second waits for the first")
    assert.match(results(fresh), /both are here[^]*both are here/)
  })
  await story.chapter("A tool that there is not, and arguments that a tool does not take", async () => {
    const fresh = await story.turn('call telepathy {"to":"all"}\ncall read {"file_path":3}\nrun: echo still here')
    assert.deepEqual(outcomes(fresh), ["denied", "denied", "succeeded"])
    assert.match(results(fresh), /no tool "telepathy"[^]*arguments of read[^]*still here/)
  })
  await story.chapter("A plan that people see, and what the turn changed", async () => {
    const steps = (status: string) => JSON.stringify({ plan: [{ step: "write it down", status }] })
    const [begun, done] = ["in_progress", "completed"].map((status) => `call update_plan ${steps(status)}`)
    const fresh = await story.turn(`${begun}\nwrite file notes Line one\n${done}`)
    assert.equal(only(fresh, "PlanUpdated").length, 2)
    assert.equal(only(fresh, "WorkingCopyCaptured")[0]?.changes?.added, 1)
  })
  await story.chapter("A running turn is steered", async () => {
    await story.send(story.message(`${longTalk}\nrun: echo first`))
    await story.begins()
    assert.match(results(await story.turn("run: echo steered", { mode: "steer" })), /steered/)
  })
  await story.chapter("A turn is interrupted, and what was said stays", async () => {
    await story.send(story.message(longTalk))
    await story.begins()
    await story.send({ _tag: "Interrupt", inputId: story.inputId(), threadId: null })
    assert.equal(only(await story.ended(), "TurnInterrupted").length, 1)
  })
  await story.chapter("Turns that wait are edited, moved and withdrawn", async () => {
    const [first, second, third] = ["first", "second", "third"].map((name) => story.message(`say: ${name}`)) as [
      ReturnType<Story["message"]>,
      ReturnType<Story["message"]>,
      ReturnType<Story["message"]>
    ]
    const running = story.message(`${longTalk}\nrun: echo busy`)
    await story.send(running, first, second, third)
    const queued = { queueVersion: null }
    await story.command({ _tag: "EditTurn", turnId: first.turnId, content: text("say: edited"), ...queued })
    await story.command({ _tag: "MoveTurn", turnId: third.turnId, before: first.turnId, ...queued })
    await story.command({ _tag: "WithdrawTurn", turnId: second.turnId, ...queued })
    const fresh = await story.ended(3)
    assert.deepEqual(
      only(fresh, "TurnStarted").map(({ turnId }) => turnId),
      [running.turnId, third.turnId, first.turnId]
    )
    assert.match(said(fresh), /edited/)
  })
  await story.chapter("A pause, and going on", async () => {
    await story.send(story.message(`${longTalk}\nrun: echo after the pause`))
    await story.begins()
    await story.command({ _tag: "Pause" })
    await story.waits()
    await story.command({ _tag: "Resume" })
    await story.ended()
    assert.match(results(story.events), /after the pause/)
  })
  await story.chapter("A turn fails after three attempts, and is tried again", async () => {
    const failing = story.message("fail")
    await story.send(failing)
    assert.equal(only(await story.ended(), "AttemptStarted").length, 3)
    await story.command({ _tag: "RetryTurn", turnId: failing.turnId })
    assert.equal(only(await story.ended(), "TurnRetried").length, 1)
  })
  await story.begin({})
  await story.chapter("The model refuses, what it said stays, and the session goes on", async () => {
    const [end] = only(await story.turn("say: I had rather not.\nrefuse"), "TurnCompleted")
    assert.equal(end?.stop, "refusal")
    assert.match(said(await story.turn("say: Something else, then.")), /Something else/)
  })
  await story.chapter("A conversation that is too long is summed up, by the model for small tasks", async () => {
    await story.begin({ auxModel: story.world.auxModel })
    const much = story.world.model === "demo" ? "blah ".repeat(131_000) : "too much for the window"
    const fresh = await story.turn(`say: still here\n${much}`)
    assert.equal(only(fresh, "ContextCompacted").length, 1)
    assert.match(said(fresh), /still here/)
    const asked = new Set(only(fresh, "ModelRequestStarted").map(({ model }) => model))
    assert.ok(asked.has(story.world.auxModel.replace(/^openai\//, "")), [...asked].join())
  })
  await story.begin({ auxModel: story.world.auxModel })
  await story.chapter("A sub-agent reads a page for a question, on the model for small tasks", async () => {
    const page = { url: `${story.world.server.url}/page`, prompt: "What is the answer?" }
    const fresh = await story.turn(`call web_fetch ${JSON.stringify(page)}`)
    const [began, ended] = [only(fresh, "SubagentStarted"), only(fresh, "SubagentEnded")]
    assert.deepEqual(
      ended.map(({ callId, outcome, subagentId }) => [subagentId, callId, outcome]),
      began.map(({ subagentId }) => [subagentId, callOf(fresh).callId, "succeeded"])
    )
    assert.match(ended[0]?.summary ?? "", /forty-two/)
    assert.match(results(fresh), /forty-two/)
    assert.deepEqual(
      only(fresh, "ModelRequestStarted").map(({ subagentId }) => subagentId),
      [undefined, began[0]?.subagentId, undefined]
    )
  })
}
