import type { SessionId, ThreadId } from "@troupe/domain/Ids"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { assert, describe, it } from "@effect/vitest"
import * as Setup from "../../src/runners/Setup.ts"
import { openCommand } from "../support/CommandGenerator.ts"
import { newId } from "../support/LogWriter.ts"
import { prng } from "../../../../test/support/Prng.ts"

const primary = newId("Thread") as ThreadId
const other = newId("Thread") as ThreadId
const digest = "a".repeat(64)
const {
  history: _history,
  inputs: _inputs,
  ...opening
} = openCommand(prng(1), newId("Session") as SessionId) as never as {
  readonly history: unknown
  readonly inputs: unknown
}
const opened = { ...opening, _tag: "SessionOpened", threadId: primary, at: 0 } as unknown as SessionEvent

const after = (...events: ReadonlyArray<object>): Setup.Setup =>
  [opened, ...(events as ReadonlyArray<SessionEvent>)].reduce<Setup.Setup | null>(Setup.apply, null)!

const reconfigured = (changes: object, threadId: ThreadId | null = primary) => ({
  _tag: "AgentReconfigured",
  threadId,
  changes,
  digest
})

describe("what a session works with", () => {
  it("is nothing before it is open", () => {
    assert.isNull(Setup.apply(null, reconfigured({}) as never))
  })

  it("is what it was opened with", () => {
    const setup = after()
    assert.strictEqual(Setup.agentOf(setup, primary).model.id, "demo")
    assert.deepStrictEqual([setup.environment, setup.resources], [null, []])
  })

  it("changes where the agent of a thread is reconfigured, and only there", () => {
    const changes = { model: "other", effort: "high", harness: "codex", tools: [{ type: "bash" }] }
    const setup = after(reconfigured(changes))
    const agent = Setup.agentOf(setup, primary)
    assert.deepStrictEqual(agent.model, { id: "other", effort: "high" })
    assert.deepStrictEqual([agent.harness, agent.tools, agent.digest], ["codex", [{ type: "bash" }], digest])
    assert.strictEqual(Setup.agentOf(setup, other).harness, "scripted")
  })

  it("changes for all threads where none is named, and keeps what they differ in", () => {
    const setup = after(reconfigured({ model: "own" }, other), reconfigured({ harness: "codex" }, null))
    const [one, two] = [Setup.agentOf(setup, primary), Setup.agentOf(setup, other)]
    assert.deepStrictEqual([one.harness, one.model.id], ["codex", "demo"])
    assert.deepStrictEqual([two.harness, two.model.id], ["codex", "own"])
  })

  it("changes again on top of what was changed", () => {
    const agent = Setup.agentOf(after(reconfigured({ model: "b" }), reconfigured({ effort: "low" })), primary)
    assert.deepStrictEqual(agent.model, { id: "b", effort: "low" })
  })

  it("stays an agent where a change would make none of it", () => {
    const agent = Setup.agentOf(after(reconfigured({ harness: 7 })), primary)
    assert.deepStrictEqual([agent.harness, agent.digest], ["scripted", digest])
  })

  it("is held to the policies that were said last", () => {
    const said = (...policies: ReadonlyArray<object>) => ({ _tag: "PoliciesChanged", policies })
    const [one, two] = [{ type: "always_ask" }, { type: "preset", preset: "safe" }]
    assert.deepStrictEqual(after().policies, [])
    assert.deepStrictEqual(after(said(one), said(two)).policies as unknown, [two])
    assert.deepStrictEqual(after(said(one), said()).policies, [])
  })

  it("has the resources that were added and not removed", () => {
    const [one, two] = ["r1", "r2"].map((resourceId) => ({ resourceId, type: "file", spec: {} }))
    const added = [one, two].map((resource) => ({ _tag: "ResourceAdded", resource }))
    const setup = after(...added, { _tag: "ResourceRemoved", resourceId: "r1" })
    assert.deepStrictEqual(setup.resources as unknown, [two])
  })
})
