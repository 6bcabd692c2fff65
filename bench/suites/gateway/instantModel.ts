/** A provider of one's own whose model answers at once: one call of `bash` to each message, and then that it is done. */
import type { ModelClient, ModelEvent } from "@troupe/runner/models/ModelClient"
import { Effect, Stream } from "effect"
import { usage } from "../../harness/usage.ts"

const input = JSON.stringify({ command: "echo done" })

const called: ReadonlyArray<ModelEvent> = [
  { _tag: "ToolCall", index: 0, providerCallId: "call_1", name: "bash", input },
  { _tag: "Ended", stop: "tool_calls", usage }
]
const said: ReadonlyArray<ModelEvent> = [
  { _tag: "Text", index: 0, text: "done" },
  { _tag: "Ended", stop: "end_turn", usage }
]

export const make = (): ModelClient => ({
  provider: "instant",
  probe: Effect.succeed({ usable: true, notes: [], models: ["echo"] }),
  facts: () => ({ contextTokens: 10_000_000, outputTokens: 8_192 }),
  stream: ({ history }) => Stream.fromIterable(history.at(-1)?.type === "user" ? called : said)
})
