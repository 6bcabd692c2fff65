import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { costOf, type Price } from "@troupe/domain/models/Price"
import { type BlobRef, text } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Usage } from "@troupe/domain/session/Usage"
import { Cause, Clock, Effect, Exit, Stream } from "effect"
import type { AttemptFrames, JournalFull } from "../../attempt/AttemptFrames.ts"
import { mintEventId, mintModelRequestId } from "../../mint.ts"
import type {
  MeasuredUsage,
  ModelClient,
  ModelError,
  ModelEvent,
  ModelRequest,
  ModelStop
} from "../../models/ModelClient.ts"
import { chatEnded, chatSpan } from "../../telemetry/spans.ts"
import { estimateTokens } from "./Conversation.ts"

export interface StepCall {
  readonly callId: EventId
  readonly providerCallId: string
  readonly name: string
  /** Text, where what the model wrote is no JSON. */
  readonly input: Json
}

/** One answer of a model, as it went into the log. */
export interface StepAnswer {
  readonly requestId: ModelRequestId
  /** For the conversation: what was said and thought, without the calls. */
  readonly items: ReadonlyArray<HistoryItem>
  readonly said: string
  readonly calls: ReadonlyArray<StepCall>
  readonly stop: ModelStop
  /** Why it refused, where the provider says so. */
  readonly details: JsonObject | null
  readonly usage: Usage
  /** It was given at a higher speed. */
  readonly isFast: boolean
}

export interface StepOptions {
  readonly client: ModelClient
  readonly request: ModelRequest
  readonly frames: AttemptFrames
  readonly price: Price | null
  /** At a higher speed; absent: as at the usual one. */
  readonly fastPrice?: Price | null
  /** Of what the conversation comes to before the answer. */
  readonly inputTokens: number
  /** Whether what is said is the model's word to people: a summary for itself is not. */
  readonly isShown: boolean
  /** Says that the calls of the answer are asked for, which belongs to it; where nothing is to be called, it is left out. */
  readonly ask?: (calls: ReadonlyArray<StepCall>, requestId: ModelRequestId) => Effect.Effect<void, JournalFull>
}

const nothing: MeasuredUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0
}

const parsed = (input: string): Json => {
  try {
    return JSON.parse(input) as Json
  } catch {
    return input
  }
}

/** A block under way: its id is known before its first word, so that deltas and the finished event share it. */
interface OpenBlock {
  readonly blockId: EventId
  text: string
}

/**
 * One model request, from the frame that announces it to the one that says how it ended. Whatever happens in between, the
 * second follows the first, with what was used; text that was begun is kept as a partial block.
 */
export const step = Effect.fnUntraced(function* (
  options: StepOptions
): Effect.fn.Return<StepAnswer, ModelError | JournalFull> {
  const { client, frames, isShown, request } = options
  const requestId = yield* mintModelRequestId
  const open = new Map<number, OpenBlock>()
  const thinking = new Map<number, EventId>()
  const items: Array<HistoryItem> = []
  const calls: Array<StepCall> = []
  const callIds = new Set<string>()
  let said = ""
  let heard = 0
  let ended: Extract<ModelEvent, { readonly _tag: "Ended" }> | null = null
  const { keep } = frames
  /** What the model said, whole: what came in pieces is in them. */
  const answered: Array<ModelEvent> = []

  const usageOf = (measured: MeasuredUsage | null, estimate: MeasuredUsage): Usage => {
    const counted = measured ?? estimate
    const { fastPrice = options.price } = options
    const price = ended?.isFast === true ? fastPrice : options.price
    return { ...counted, source: measured === null ? "estimated" : "measured", costMicroUsd: costOf(price, counted) }
  }
  const guess = (outputTokens: number) => ({ ...nothing, inputTokens: options.inputTokens, outputTokens })

  const block = Effect.fnUntraced(function* (index: number, content: string) {
    const blockId = open.get(index)?.blockId ?? (yield* mintEventId)
    open.delete(index)
    said += content
    items.push({ type: "assistant", blockId, requestId, content: text(content), partial: false })
    if (isShown) {
      yield* frames.say({ _tag: "MessageBlock", blockId, requestId, content: text(content), partial: false })
    }
  })

  const call = Effect.fnUntraced(function* ({
    input,
    name,
    providerCallId
  }: Extract<ModelEvent, { _tag: "ToolCall" }>) {
    const callId = yield* mintEventId
    // Results are matched by the provider's id, and some give one twice.
    const unique = callIds.has(providerCallId) ? `${providerCallId}_${calls.length}` : providerCallId
    callIds.add(unique)
    calls.push({ callId, providerCallId: unique, name, input: parsed(input) })
  })

  const take = Effect.fnUntraced(function* (event: ModelEvent) {
    if (keep !== undefined && event._tag !== "Begun" && event._tag !== "Delta") answered.push(event)
    switch (event._tag) {
      case "Begun":
        if (event.kind === "text") open.set(event.index, { blockId: yield* mintEventId, text: "" })
        if (event.kind === "thinking") {
          const blockId = yield* mintEventId
          thinking.set(event.index, blockId)
          if (isShown) frames.thinks(blockId)
        }
        return
      case "Delta": {
        heard += event.text.length
        const found = open.get(event.index)
        if (found === undefined) return
        if (isShown) frames.delta(found.blockId, found.text.length, event.text)
        found.text += event.text
        return
      }
      case "Text":
        return yield* block(event.index, event.text)
      case "Thinking": {
        const blockId = thinking.get(event.index) ?? (yield* mintEventId)
        thinking.delete(event.index)
        const { opaque, text: thought } = event
        items.push({ type: "thinking", blockId, requestId, text: thought, opaque })
        if (!isShown) return
        yield* frames.say({ _tag: "ThinkingBlock", blockId, requestId, text: thought, opaque, partial: false })
        return
      }
      case "ToolCall":
        return yield* call(event)
      case "Ended":
        ended = event
    }
  })

  const startedAt = yield* Clock.currentTimeMillis
  const keepPartial = Effect.fnUntraced(function* () {
    for (const { blockId, text: partial } of open.values()) {
      if (partial === "" || !isShown) continue
      yield* frames.say({ _tag: "MessageBlock", blockId, requestId, content: text(partial), partial: true })
    }
  })
  const close = Effect.fnUntraced(function* (
    exit: Exit.Exit<void, ModelError | JournalFull>,
    durationMs: number,
    response: BlobRef | null
  ) {
    const outcome = Exit.isSuccess(exit) ? "succeeded" : Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "failed"
    // A provider that refused a request did not charge for it; one that began to answer did.
    const began = heard > 0 || outcome !== "failed"
    const usage = usageOf(ended?.usage ?? null, began ? guess(Math.ceil(heard / 4)) : nothing)
    const end: FrameBody = { _tag: "ModelRequestEnded", requestId, outcome, usage, durationMs, response }
    yield* frames.say(end)
    yield* chatEnded(ended?.stop ?? null, usage, said)
    return usage
  })

  const keepAnswer = Effect.suspend(() =>
    keep === undefined || answered.length === 0 ? Effect.succeed(null) : keep(answered)
  )
  const askAll = Effect.suspend(() =>
    options.ask === undefined || calls.length === 0 ? Effect.void : options.ask(calls, requestId)
  )
  const estimate = usageOf(null, guess(Math.ceil(options.inputTokens / 10)))
  const { model } = request
  yield* frames.mayBegin
  const sent = keep === undefined ? null : yield* keep(client.body?.(request) ?? request)
  let usage = estimate
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { provider } = client
      yield* frames.emit({ _tag: "ModelRequestStarted", requestId, model, provider, estimate, request: sent })
      const exit = yield* Effect.exit(restore(Stream.runForEach(client.stream(request), take)))
      const durationMs = (yield* Clock.currentTimeMillis) - startedAt
      yield* keepPartial()
      const asked = Exit.isSuccess(exit) && ended?.stop !== "refusal" ? yield* Effect.exit(restore(askAll)) : exit
      // Who interrupts it waits for nothing that is only kept.
      const kept = yield* Effect.catchCause(restore(keepAnswer), () => Effect.succeed(null))
      usage = yield* close(exit, durationMs, kept)
      return yield* asked
    })
  ).pipe(chatSpan(client.provider, request))
  const {
    details = null,
    isFast = false,
    stop
  } = (ended as Extract<ModelEvent, { readonly _tag: "Ended" }> | null) ?? { stop: "end_turn" as const }
  return { requestId, items, said, calls, stop, details, usage, isFast }
})

/** What a request comes to, before anybody has counted it. */
export const estimateOf = (request: ModelRequest, conversation: number): number =>
  conversation + estimateTokens(request.instructions) + estimateTokens(request.tools)
