import type { EventId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import type { JournalFull } from "../../attempt/AttemptFrames.ts"
import type { ModelError, ModelSettings } from "../../models/ModelClient.ts"
import type { ToolResult } from "../../tools/ToolCalls.ts"
import type { HarnessEnd, HarnessRun } from "../Harness.ts"
import type { ChosenModel, ModelDraft } from "./ChosenModel.ts"
import { shown, withoutMedia } from "./content.ts"
import { Conversation } from "./Conversation.ts"
import { estimateOf, step, type StepAnswer, type StepCall, type StepOptions } from "./ModelStep.ts"
import type { Strategies } from "./Strategies.ts"
import { isTooLong, sumUp } from "./sumUp.ts"

export interface ModelTurnOptions {
  readonly run: HarnessRun
  readonly main: ChosenModel
  /** For summaries. */
  readonly aux: ChosenModel
  readonly settings: ModelSettings
  readonly strategies: Strategies
}

/** The attempt is over before another answer: for the loop that asks for one, to stop. */
export interface Halt {
  readonly end: HarnessEnd
}

export interface ModelTurn {
  /** Runs calls that were approved meanwhile. To be done first. */
  readonly begin: Effect.Effect<void, JournalFull>
  /** The model's next answer, or why there will be none. */
  readonly next: Effect.Effect<StepAnswer | Halt, JournalFull>
  /** Runs a call of the last answer. */
  readonly call: (call: StepCall, answer: StepAnswer) => Effect.Effect<ToolResult, JournalFull>
  /** Calls that somebody outside has to answer before the turn can go on. */
  readonly isAwaiting: () => boolean
}

const refusals: ReadonlySet<number> = new Set([400, 413, 415, 422])
const isRefused = (error: ModelError | JournalFull): error is ModelError =>
  error._tag === "ModelError" && error.trouble._tag === "Refused" && refusals.has(error.trouble.status)

const halt = (end: HarnessEnd): Halt => ({ end })

/** What any loop over a model does the same: whoever owns the loop asks for answers and has calls run. */
export const make = (options: ModelTurnOptions): ModelTurn => {
  const { aux, main, run, settings, strategies } = options
  const { frames, inbox, request, spending, tools } = run
  const conversation = new Conversation(request.history)
  const facts = main.client.facts(main.model)
  const { toolsMax = Infinity } = facts
  const catalog = strategies.tools(tools.catalog.slice(0, toolsMax))
  const instructions = strategies.prompt(request)
  const awaiting = new Set<EventId>()
  const told = new Set<string>()
  const stepsMax = request.agent.maxSteps ?? strategies.stepsMax

  /** For people, once. */
  const note = Effect.fnUntraced(function* (code: string, message: string) {
    if (told.has(message)) return
    told.add(message)
    yield* frames.emit({ _tag: "Noted", event: { _tag: "PlatformNoted", code, message, details: {} } })
  })

  /** What was asked for and not had is no secret: which settings a model takes may turn out only as it is asked. */
  const tellLeftOut = Effect.fnUntraced(function* ({ isFast }: StepAnswer) {
    const { client, model } = main
    for (const message of client.leavesOut?.({ model, settings }) ?? []) yield* note("model_setting_left_out", message)
    if (settings.speed !== "fast" || isFast) return
    yield* note("model_setting_left_out", `${model} was asked for a higher speed, and does not say that it had it`)
  })

  const asks: StepOptions["ask"] = (calls, requestId) => tools.request(calls.map((one) => ({ ...one, requestId })))

  const ask = Effect.fnUntraced(function* (chosen: ChosenModel, draft: ModelDraft, isShown: boolean) {
    const { history, left } = yield* shown(draft.history, run.blob)
    for (const message of left) yield* note("content_unreadable", message)
    const modelRequest = {
      ...draft,
      history,
      model: chosen.model,
      cacheKey: strategies.cacheKey(request)
    }
    const answer = yield* step({
      client: chosen.client,
      request: modelRequest,
      frames,
      price: chosen.price,
      ...(chosen.fastPrice === undefined ? {} : { fastPrice: chosen.fastPrice }),
      inputTokens: estimateOf(modelRequest, conversation.tokens),
      isShown,
      ...(isShown ? { ask: asks } : {})
    })
    return answer
  })

  /** Has the conversation summed up; what was said stays in the log. */
  const compact = Effect.gen(function* () {
    const tokensBefore = conversation.tokens
    const asked = { conversation, instructions, catalog, words: strategies.summarize }
    const summary = yield* sumUp({ ...asked, ask: (chosen, draft) => ask(chosen, draft, false), main, aux, note })
    conversation.compact({ type: "summary", content: summary })
    const tokensAfter = conversation.tokens
    yield* frames.emit({ _tag: "ContextCompacted", summary, uptoSeq: 0, tokensBefore, tokensAfter })
  })

  const answer = Effect.gen(function* () {
    const history = strategies.context(conversation.history, facts)
    const given = yield* ask(main, { instructions, history, tools: catalog, settings }, true)
    conversation.add(...given.items)
    for (const { callId, input, name, providerCallId } of given.calls) {
      const { requestId } = given
      conversation.add({ type: "tool_call", callId, requestId, providerCallId, name, server: null, input })
    }
    yield* tellLeftOut(given)
    const { cacheReadTokens, cacheWrite1hTokens, cacheWrite5mTokens, inputTokens, outputTokens, source } = given.usage
    const all = inputTokens + outputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens
    if (source === "measured" && all > 0) conversation.measured(all)
    return given
  })

  /** What a provider refuses of pictures and documents it would refuse for ever: the conversation goes on without them. */
  const inWords = Effect.fnUntraced(function* (refused: ModelError) {
    const words = withoutMedia(conversation.history)
    if (words === null) return yield* refused
    conversation.retell(words)
    const given = yield* answer
    yield* note("content_refused", `The model is told without pictures and documents: ${refused.message}`)
    return given
  })

  const next: ModelTurn["next"] = Effect.gen(function* () {
    const stopped = yield* inbox.stop
    if (stopped !== null) return halt({ _tag: "Suspended", reason: stopped })
    const enough = strategies.stop(spending, stepsMax)
    if (enough !== null) return halt(enough)
    conversation.steer(yield* inbox.takeSteers)
    if (strategies.isFull(conversation.tokens, facts)) {
      yield* compact
      const spent = strategies.stop(spending, stepsMax)
      if (spent !== null) return halt(spent)
    }
    return yield* answer.pipe(
      // The provider counts for itself, and may find it too long all the same.
      Effect.catchIf(isTooLong, () => Effect.andThen(compact, answer)),
      Effect.catchIf(isRefused, inWords)
    )
  }).pipe(Effect.catchTag("ModelError", (error) => Effect.succeed(halt(strategies.retry(error)))))

  const begin = Effect.gen(function* () {
    const more = tools.catalog.length - toolsMax
    if (more > 0) {
      yield* note("tool_too_many", `${main.model} takes ${toolsMax} tools: it is not told of the last ${more}`)
    }
    if (main.price === null && request.budget.some(({ metric }) => metric === "cost_micro_usd")) {
      const { model } = main
      yield* note("model_unpriced", `${model} has no known price: what it costs counts towards no limit on cost`)
    }
    for (const result of yield* tools.resume) {
      if (result._tag === "Awaiting") awaiting.add(result.callId)
      else conversation.result(conversation.providerCallIdOf(result.callId) ?? result.callId, result)
    }
  })

  const call: ModelTurn["call"] = Effect.fnUntraced(function* (one, { requestId }) {
    const { callId, input, name, providerCallId } = one
    const result = yield* tools.call({ callId, requestId, providerCallId, name, input })
    if (result._tag === "Awaiting") awaiting.add(result.callId)
    else conversation.result(providerCallId, result)
    return result
  })

  return { begin, next, call, isAwaiting: () => awaiting.size > 0 }
}
