import { text } from "@troupe/domain/session/Content"
import { strict as assert } from "node:assert"
import { only } from "../waiting.ts"
import { callOf, outcomes, people as asking, results, said, type Story } from "./Story.ts"

const asks = { type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_ask" } } }
const lookUp = {
  type: "custom",
  name: "look_up",
  description: "Looks something up.",
  input_schema: { type: "object", properties: { q: { type: "string" } }, required: ["q"] }
}

/** What people and clients are asked, and what they say. */
export const people = async (story: Story) => {
  await story.begin({ tools: [asks, asking, lookUp] })
  await story.chapter("Approvals: once, with other arguments, denied", async () => {
    await story.send(story.message("run: echo once"))
    await story.confirm(callOf(await story.waits()).callId, { type: "allow_once" })
    assert.match(results(await story.ended()), /once/)
    await story.send(story.message("run: echo never"))
    await story.allowEdited(callOf(await story.waits()).callId, { command: "echo edited" })
    assert.match(results(await story.ended()), /edited/)
    await story.send(story.message("run: echo never"))
    await story.confirm(callOf(await story.waits()).callId, { type: "deny", message: "Not today." })
    assert.match(results(await story.ended()), /Not today/)
  })
  await story.chapter("An approval outlives the node and the runner", async () => {
    await story.send(story.message("run: echo after all"))
    const { callId } = callOf(await story.waits())
    await story.world.restart()
    await story.confirm(callId, { type: "allow_once" })
    assert.match(results(await story.ended()), /after all/)
  })
  await story.chapter("An approval for the whole session", async () => {
    await story.send(story.message("run: echo for good"))
    await story.confirm(callOf(await story.waits()).callId, { type: "allow_session" })
    await story.ended()
    assert.match(results(await story.turn("run: echo without asking")), /without asking/)
  })
  await story.chapter("Questions to a person: a choice, several, and one that nobody answers", async () => {
    await story.send(story.message("ask me Which? red / blue"))
    const one = callOf(await story.waits()).callId
    assert.match(String(await story.answer(one, "green").catch(String)), /is none of/)
    await story.answer(one, "blue")
    assert.match(said(await story.ended()), /blue/)
    const options = ["soup", "bread", "cheese"].map((label) => ({ label }))
    const several = { question: "What to buy?", kind: "multi_choice", options }
    await story.send(story.message(`call ask_user ${JSON.stringify(several)}`))
    await story.answer(callOf(await story.waits()).callId, ["soup", "cheese"])
    assert.match(said(await story.ended()), /soup.*cheese/)
    const fresh = await story.turn('call ask_user {"question":"Is anybody there?","expires_in_seconds":10}')
    assert.equal(only(fresh, "ToolConfirmed")[0]?.decision.type, "expired")
  })
  await story.chapter("A tool of the client", async () => {
    await story.send(story.message('call look_up {"q":"x"}'))
    const { callId } = callOf(await story.waits())
    const result = { content: text("found it"), isError: false, executor: "client" } as const
    await story.send({ _tag: "ToolResult", inputId: story.inputId(), callId, ...result })
    assert.match(said(await story.ended()), /found it/)
  })

  const rules = [{ tool: "bash", when: { command: "*secrets*" }, then: "deny", reason: "Secrets stay." }]
  await story.begin({ policies: [{ type: "rules", rules }] })
  await story.chapter("A rule denies a call, whatever the prompt says, and the log has which", async () => {
    const fresh = await story.turn("run: cat secrets.txt\nrun: echo allowed")
    assert.deepEqual(outcomes(fresh), ["denied", "succeeded"])
    assert.match(results(fresh), /agent\.policies\[0\][^]*allowed/)
  })
  await story.chapter("Presets take away, for a turn", async () => {
    const under = (permissionPreset: string, words: string) => story.turn(words, { overrides: { permissionPreset } })
    assert.match(results(await under("safe", "run: git push")), /turn\.preset\.safe\.no_git_writes/)
    assert.deepEqual(outcomes(await under("read_only", 'run: touch x\ncall glob {"pattern":"*"}')), [
      "denied",
      "succeeded"
    ])
    for (const [preset, words] of [
      ["review", "write file x y"],
      ["custom", "run: echo nobody allowed this"]
    ] as const) {
      await story.send(story.message(words, { overrides: { permissionPreset: preset } }))
      const { callId, verdict } = callOf(await story.waits())
      assert.match(verdict.rule, new RegExp(`^turn\\.preset\\.${preset}`))
      await story.confirm(callId, { type: "allow_once" })
      assert.deepEqual(outcomes(await story.ended()), ["succeeded"])
    }
    assert.deepEqual(outcomes(await under("full", "run: true")), ["succeeded"])
  })

  await story.begin({ policies: [{ type: "auto" }], auxModel: story.world.auxModel })
  await story.chapter("Where the model that looks at calls can't say, a person is asked", async () => {
    await story.send(story.message("run: echo looked at"))
    const { callId, verdict } = callOf(await story.waits())
    assert.match(verdict.rule, /indeterminate$/)
    await story.confirm(callId, { type: "allow_once" })
    assert.match(results(await story.ended()), /looked at/)
  })
}
