/**
 * A provider of one's own whose models answer at once: `echo` with one call of `bash` to each message, and then that it is done;
 * `pieces` with many pieces of text.
 */
import type { ModelClient, ModelEvent, ModelRequest } from "@troupe/runner/models/ModelClient"
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

/** How many pieces `pieces` says, and one of them. */
export const spoken = { pieces: 2_000, piece: "four " } as const

const talk: ReadonlyArray<ModelEvent> = [
  { _tag: "Begun", index: 0, kind: "text" },
  ...Array.from({ length: spoken.pieces }, (): ModelEvent => ({ _tag: "Delta", index: 0, text: spoken.piece })),
  { _tag: "Text", index: 0, text: spoken.piece.repeat(spoken.pieces) },
  { _tag: "Ended", stop: "end_turn", usage }
]

const answerTo = ({ history, model }: ModelRequest): Stream.Stream<ModelEvent> =>
  model === "pieces"
    ? // One by one, as they come from a server.
      Stream.rechunk(Stream.fromIterable(talk), 1)
    : Stream.fromIterable(history.at(-1)?.type === "user" ? called : said)

export const make = (): ModelClient => ({
  provider: "instant",
  probe: Effect.succeed({ usable: true, notes: [], models: ["echo", "pieces"] }),
  facts: () => ({ contextTokens: 10_000_000, outputTokens: 8_192 }),
  stream: answerTo
})
