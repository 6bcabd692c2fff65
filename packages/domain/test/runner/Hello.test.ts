import { assert, it } from "@effect/vitest"
import { type Abilities, type Capability, isSettled } from "../../src/runner/Hello.ts"

const able = (name: string, usable = true, details: Capability["details"] = {}): Capability => ({
  name,
  version: null,
  usable,
  notes: [],
  details
})

it("is asked again soon as long as it can do nothing, or still tries something", () => {
  const abilities = (...sandboxes: ReadonlyArray<Capability>): Abilities => ({
    harnesses: [able("openai-agents")],
    sandboxes,
    defaultSandbox: "bubblewrap",
    models: []
  })
  assert.isTrue(isSettled(abilities(able("bubblewrap"), able("docker", false))))
  assert.isFalse(isSettled(abilities(able("bubblewrap", false), able("docker"))))
  assert.isFalse(isSettled(abilities(able("bubblewrap"), able("far", false, { unfinished: true }))))
})
