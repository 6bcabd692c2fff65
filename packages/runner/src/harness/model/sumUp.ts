import { type Content, text } from "@troupe/domain/session/Content"
import { Effect } from "effect"
import type { JournalFull } from "../../attempt/AttemptFrames.ts"
import type { ModelError, ModelRequest } from "../../models/ModelClient.ts"
import type { Conversation } from "./Conversation.ts"
import type { StepAnswer } from "./ModelStep.ts"
import type { ChosenModel, ModelDraft } from "./ChosenModel.ts"
import { transcript } from "./transcript.ts"

export interface SummaryOptions {
  readonly conversation: Conversation
  readonly instructions: ModelRequest["instructions"]
  readonly catalog: ModelRequest["tools"]
  /** What the model is asked for. */
  readonly words: string
  readonly ask: (chosen: ChosenModel, draft: ModelDraft) => Effect.Effect<StepAnswer, ModelError | JournalFull>
  readonly main: ChosenModel
  readonly aux: ChosenModel
  /** Tells people. */
  readonly note: (code: string, message: string) => Effect.Effect<void, JournalFull>
}

/** How long the text of a conversation may be, in characters to a token of the window: as they usually are, then as they may be. */
const shares = [2, 1, 0.5]
/** What is kept of a conversation that no model has words for. */
const unsummedMax = 8_000

export const isTooLong = (error: ModelError | JournalFull): boolean =>
  error._tag === "ModelError" && error.trouble._tag === "ContextTooLong"

/** A conversation in few words. However long it is and whatever a model says to it, there is something to go on with. */
export const sumUp = Effect.fnUntraced(function* (
  options: SummaryOptions
): Effect.fn.Return<Content, ModelError | JournalFull> {
  const { aux, main, note } = options
  const { said } = yield* summaryBy(options, aux).pipe(
    // Another model for summaries is there to save, and no reason to end here.
    Effect.catchIf(
      (error): error is ModelError => aux !== main && error._tag === "ModelError" && !error.passes,
      ({ message }) => Effect.andThen(note("summary_failed", message), summaryBy(options, main))
    )
  )
  return text(said.trim() === "" ? transcript(options.conversation.history, unsummedMax) : said)
})

const question = (words: string) => ({ type: "user", inputId: null, from: null, content: text(words) }) as const
const settings = { toolChoice: "none" } as const

const summaryBy = (
  options: SummaryOptions,
  chosen: ChosenModel
): Effect.Effect<StepAnswer, ModelError | JournalFull> => {
  const { ask, catalog, conversation, instructions, words } = options
  const { contextTokens, toolsMax = Infinity } = chosen.client.facts(chosen.model)
  const lengths = shares.map((share) => Math.floor(contextTokens * share))
  if (conversation.tokens > contextTokens) return ofText(options, chosen, lengths)
  // It begins as the requests before it did, so that the provider finds it in its cache, and knows the tools that were called.
  const history = [...conversation.history, question(words)]
  const asked = ask(chosen, { instructions, history, tools: catalog.slice(0, toolsMax), settings })
  return Effect.catchIf(asked, isTooLong, () => ofText(options, chosen, lengths))
}

/** Asks for a summary of as much as fits, as one text. */
const ofText = (
  options: SummaryOptions,
  chosen: ChosenModel,
  [lengthMax = 0, ...shorter]: ReadonlyArray<number>
): Effect.Effect<StepAnswer, ModelError | JournalFull> => {
  const { ask, conversation, words } = options
  const content = `${words}\n\n<conversation>\n${transcript(conversation.history, lengthMax)}\n</conversation>`
  const asked = ask(chosen, { instructions: [], history: [question(content)], tools: [], settings })
  return shorter.length === 0 ? asked : Effect.catchIf(asked, isTooLong, () => ofText(options, chosen, shorter))
}
