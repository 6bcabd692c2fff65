import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as OpenAiAgents from "../../src/harness/openai-agents/OpenAiAgents.ts"
import { shellHarness } from "../../src/harness/shell/ShellHarness.ts"
import { mintEventId, mintModelRequestId } from "../../src/mint.ts"
import * as DemoModel from "../../src/models/demo/DemoModel.ts"
import { faultyProvider } from "../support/FaultyProvider.ts"
import { demoServer } from "../support/demoServer.ts"
import { type ChosenModel, modelClients } from "../support/modelClients.ts"
import { checks, type Subject, table } from "./conformance.ts"

const server = demoServer()
beforeAll(() => server.start())
afterAll(() => server.stop())

const over = (choose: () => ChosenModel, facts?: { readonly contextTokens: number; readonly outputTokens: number }) =>
  OpenAiAgents.make({
    choose: () =>
      Effect.sync(() => {
        const { client, model } = choose()
        const known = facts === undefined ? client : { ...client, facts: () => facts }
        return Result.succeed({ client: known, model, price: null })
      })
  })

/** The harness over a model that does what the demo model does, in its own process or behind one of the contracts. */
const openAiAgents = (about: string, choose: () => ChosenModel): Subject => ({
  about,
  harness: over(choose),
  model: "some-model",
  commands: (...commands) => commands.map((command) => `run: ${command}`).join("\n"),
  words: {
    together: (...commands) => commands.map((command) => `& run: ${command}`).join("\n"),
    say: (words) => `say: ${words}`,
    fail: "fail",
    refuse: "refuse",
    plan: (plan) => `call update_plan ${JSON.stringify({ plan })}`,
    look: (url, prompt) => `call web_fetch ${JSON.stringify({ url, prompt })}`,
    reader: choose
  },
  within: (contextTokens) => over(choose, { contextTokens, outputTokens: 500 })
})

const demo = { client: DemoModel.make(), model: "demo" }
const models: ReadonlyArray<readonly [string, () => ChosenModel]> = [
  ["the demo model", () => demo],
  ...Object.entries(modelClients(server))
]

/** aimock has no word for a refusal among the Responses. */
const refusing = Effect.gen(function* () {
  const provider = yield* faultyProvider
  const content = [{ type: "refusal", refusal: "I would rather not." }]
  const item = { type: "message", id: "msg_1", role: "assistant", status: "completed", content }
  const usage = { input_tokens: 9, output_tokens: 4, total_tokens: 13 }
  const said = [
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.refusal.delta", output_index: 0, content_index: 0, delta: "I would rather not." },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { id: "resp_1", status: "completed", output: [item], usage } }
  ]
  provider.reply = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(said.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""))
  }
  return over(modelClients(provider)["OpenAI Responses"]!)
})

const shell: Subject = {
  about: "no model",
  harness: shellHarness({
    probe: Effect.succeed({ version: "1", usable: true, notes: [] }),
    mintBlockId: mintEventId,
    mintRequestId: mintModelRequestId
  }),
  model: "none",
  commands: (...commands) => JSON.stringify({ commands: commands.map((run) => ({ run })) })
}

const subjects: ReadonlyArray<Subject> = [
  ...models.map(([about, choose]) => ({
    ...openAiAgents(about, choose),
    ...(about === "OpenAI Responses" ? { refusing } : {})
  })),
  shell
]

for (const subject of subjects) {
  describe(`The harness ${subject.harness.name} over ${subject.about}`, () => {
    for (const capability of subject.harness.capabilities) {
      it.live(`has ${capability}`, () => checks[capability](subject))
    }
  })
}

describe("The page on harnesses", () => {
  it("says of each harness what it claims, and what is proven here", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/harnesses.md"), "utf8")
    const now = table([...new Map(subjects.map(({ harness }) => [harness.name, harness])).values()])
    assert.isTrue(page.includes(now), `replace the table of docs/harnesses.md by:\n${now}`)
  })
})
