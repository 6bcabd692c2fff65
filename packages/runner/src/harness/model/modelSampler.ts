import type { Json, JsonObject } from "@troupe/domain/Json"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { ErrorInfo } from "@troupe/domain/session/Status"
import { Effect, Result, Schema } from "effect"
import type { AttemptFrames } from "../../attempt/AttemptFrames.ts"
import { mintEventId, mintModelRequestId } from "../../mint.ts"
import { estimateTokens } from "./Conversation.ts"
import { estimateOf, step } from "./ModelStep.ts"
import type { Spending } from "../Spending.ts"
import type { ChosenModel } from "./ChosenModel.ts"

export interface SamplerOptions {
  readonly spending: Spending
  readonly frames: AttemptFrames
  readonly choose: Effect.Effect<Result.Result<ChosenModel, ErrorInfo>>
  readonly cacheKey: string
}

const messagesMax = 200
const lengthMax = 200_000
const maxTokensMax = 16_000

const Params = Schema.Struct({
  messages: Schema.Array(Schema.Struct({ role: Schema.Literals(["user", "assistant"]), content: Schema.Json })).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(messagesMax)
  ),
  systemPrompt: Schema.optionalKey(Schema.String),
  maxTokens: Schema.Int.check(Schema.isGreaterThan(0)),
  temperature: Schema.optionalKey(Schema.Number)
})

const decode = Schema.decodeUnknownResult(Params)

/** The text of a message; null where it holds anything else. */
const wordsIn = (content: Json): string | null => {
  const blocks = Array.isArray(content) ? content : [content]
  const words = blocks.map((block) => {
    const { text: said, type } = (typeof block === "object" ? block : null) ?? ({} as Record<string, Json>)
    return type === "text" && typeof said === "string" ? said : null
  })
  return words.includes(null) ? null : words.join("\n")
}

const conversationOf = Effect.fnUntraced(function* ({ messages }: typeof Params.Type) {
  const history: Array<HistoryItem> = []
  const requestId = yield* mintModelRequestId
  for (const { content, role } of messages) {
    const words = wordsIn(content)
    if (words === null) return null
    if (role === "user") history.push({ type: "user", inputId: null, from: null, content: text(words) })
    else {
      const blockId = yield* mintEventId
      history.push({ type: "assistant", blockId, requestId, content: text(words), partial: false })
    }
  }
  return history
})

/**
 * Has the session's model write a text for an MCP server: text alone, without tools, within the session's budget. Its
 * requests are on record and counted like any other. Null where it is refused.
 */
export const modelSampler =
  ({ cacheKey, choose, frames, spending }: SamplerOptions) =>
  (params: JsonObject): Effect.Effect<JsonObject | null> =>
    Effect.gen(function* () {
      const asked = decode(params)
      if (Result.isFailure(asked) || JSON.stringify(params).length > lengthMax || spending.isSpent) return null
      const { maxTokens, systemPrompt = "", temperature } = asked.success
      const history = yield* conversationOf(asked.success)
      const chosen = yield* choose
      if (history === null || Result.isFailure(chosen)) return null
      const { client, model, price } = chosen.success
      const request = {
        model,
        instructions: [{ section: "agent", text: systemPrompt }],
        history,
        tools: [],
        settings: {
          maxTokens: Math.min(maxTokens, maxTokensMax),
          ...(temperature === undefined ? {} : { temperature })
        },
        cacheKey
      }
      const { said, stop } = yield* step({
        client,
        request,
        frames,
        price,
        inputTokens: estimateOf(request, estimateTokens(history)),
        isShown: false
      })
      const content = { type: "text", text: said }
      return { model, role: "assistant", content, stopReason: stop === "max_tokens" ? "maxTokens" : "endTurn" }
    }).pipe(
      // A journal that is full ends the attempt at its next word; of the model's trouble the server hears a refusal.
      Effect.catchTag(["ModelError", "JournalFull"], () => Effect.succeed(null))
    )
