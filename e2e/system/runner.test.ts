import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { requires } from "../../test/requires.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { System, wordsOf } from "../support/System.ts"
import { only } from "./waiting.ts"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("nodes and runners", () => {
  const scope = Scope.makeUnsafe()
  let system: System

  beforeAll(async () => {
    system = new System(await Effect.runPromise(Scope.provide(TestDatabase.make(), scope)))
    await system.node()
    system.runner()
  }, 120_000)
  afterAll(async () => {
    await system.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }, 60_000)

  describe("a session", () => {
    it("runs what the model asks for in a sandbox, and keeps what it made", { timeout: 180_000 }, async () => {
      const [node] = system.nodes
      const tools = [{ type: "agent_toolset_20260401" }, { type: "troupe_toolset", configs: [{ name: "update_plan" }] }]
      const session = await system.open(node!, { tools })
      const plan = [{ step: "make a file", status: "completed" }]
      await system.say(
        node!,
        session,
        `run: echo made > made.txt; id -u\nread file made.txt\ncall update_plan ${JSON.stringify({ plan })}`
      )
      const events = await system.turnsEnded(session, 1)
      const tags = events.map(({ _tag }) => _tag)
      assert.include(tags, "TurnCompleted")
      assert.include(tags, "SandboxCreated")
      assert.deepStrictEqual(
        only(events, "PlanUpdated").map(({ items }) => items),
        [plan]
      )
      assert.deepInclude(only(events, "WorkingCopyCaptured")[0]?.changes, { files: 1, added: 1, deleted: 0 })
      assert.include(wordsOf(events), "made")
      const created = events.find((event) => event._tag === "SandboxCreated")
      assert.strictEqual(created?.backend, "bubblewrap")
    })
  })
})
