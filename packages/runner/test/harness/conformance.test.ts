import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import { shellHarness } from "../../src/harness/shell/ShellHarness.ts"
import { mintEventId, mintModelRequestId } from "../../src/mint.ts"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import { checks, type Subject, table } from "./conformance.ts"

const over = (facts: { readonly contextTokens: number; readonly outputTokens: number }) => {
  const client = { ...DemoModel.make({ paceMs: 0 }), facts: () => facts }
  return OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed({ client, model: "demo", price: null })) })
}

const openAiAgents: Subject = {
  harness: over({ contextTokens: 200_000, outputTokens: 8_192 }),
  model: "demo",
  commands: (...commands) => commands.map((command) => `run: ${command}`).join("\n"),
  words: {
    together: (...commands) => commands.map((command) => `& run: ${command}`).join("\n"),
    say: (words) => `say: ${words}`,
    fail: "fail",
    refuse: "refuse",
    plan: (plan) => `call update_plan ${JSON.stringify({ plan })}`
  },
  within: (contextTokens) => over({ contextTokens, outputTokens: 500 })
}

const shell: Subject = {
  harness: shellHarness({
    probe: Effect.succeed({ version: "1", usable: true, notes: [] }),
    mintBlockId: mintEventId,
    mintRequestId: mintModelRequestId
  }),
  model: "none",
  commands: (...commands) => JSON.stringify({ commands: commands.map((run) => ({ run })) })
}

const subjects = [openAiAgents, shell]

for (const subject of subjects) {
  describe(`The harness ${subject.harness.name}`, () => {
    for (const capability of subject.harness.capabilities) {
      it.live(`has ${capability}`, () => checks[capability](subject))
    }
  })
}

describe("The page on harnesses", () => {
  it("says of each harness what it claims, and what is proven here", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/harnesses.md"), "utf8")
    const now = table(subjects.map(({ harness }) => harness))
    assert.isTrue(page.includes(now), `replace the table of docs/harnesses.md by:\n${now}`)
  })
})
