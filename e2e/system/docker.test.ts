import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { requires } from "../../test/requires.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { System, wordsOf } from "../support/System.ts"

requires(
  "postgres",
  "docker",
  "root"
)("sessions in containers", () => {
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

  it("run where their environment says", { timeout: 240_000 }, async () => {
    const [node] = system.nodes
    const session = await system.open(node!, { environment: { backend: "docker", network: { type: "none" } } })
    await system.say(node!, session, "run: ls -a / | grep -c dockerenv; echo from $PWD")
    const events = await system.turnsEnded(session, 1)
    const created = events.find((event) => event._tag === "SandboxCreated")
    assert.deepInclude(created, { backend: "docker", isolation: "container" })
    assert.include(wordsOf(events), "1\nfrom /workspace")
  })
})
