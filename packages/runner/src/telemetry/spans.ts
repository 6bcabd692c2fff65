import type { JournaledRequest } from "../journal/JournaledRequest.ts"
import type { ModelRequest } from "../models/ModelClient.ts"
import type { ToolCallRequest, ToolResult } from "../tools/ToolCalls.ts"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { Usage } from "@troupe/domain/session/Usage"
import * as Tracing from "@troupe/domain/telemetry/Tracing"
import { Effect, type Tracer } from "effect"

/** Spans by OpenTelemetry's conventions for generative AI. Attempts, requests and calls that go wrong fail theirs. */

/** Fails a span, and only that. */
class Ended<A> {
  readonly _tag: string
  readonly value: A

  constructor(kind: string, value: A) {
    this._tag = kind
    this.value = value
  }
}

const bare = { captureStackTrace: false } as const

/** Runs work whose failure is a value in a span that says so. */
const judged = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  name: string,
  options: Tracer.SpanOptionsNoTrace,
  errorOf: (value: A) => string | null
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Tracing.isTraced, (traced): Effect.Effect<A, E, R> => {
    if (!traced) return work
    const judging = Effect.flatMap(work, (value): Effect.Effect<A, Ended<A>> => {
      const kind = errorOf(value)
      if (kind === null) return Effect.succeed(value)
      return Effect.andThen(Effect.annotateCurrentSpan("error.type", kind), Effect.fail(new Ended(kind, value)))
    })
    return judging.pipe(
      Effect.withSpan(name, { ...options, ...bare }),
      Effect.catchIf(
        (error): error is Ended<A> => error instanceof Ended,
        ({ value }) => Effect.succeed(value)
      )
    ) as Effect.Effect<A, E, R>
  })

/** An attempt. It hangs from the request that led to it, wherever that was. */
export const agentSpan =
  (request: JournaledRequest) =>
  <E, R>(work: Effect.Effect<FrameBody, E, R>): Effect.Effect<FrameBody, E, R> => {
    const { agent, attemptId, overrides, runnerId, sessionId, threadId, traceparent, turnId } = request
    const parent = traceparent === undefined ? null : Tracing.spanOf(traceparent)
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.id": agent.agentId,
      "gen_ai.agent.name": agent.name,
      "gen_ai.agent.version": String(agent.version),
      "gen_ai.conversation.id": sessionId,
      "gen_ai.request.model": overrides.model ?? agent.model.id,
      "troupe.harness": agent.harness,
      "troupe.thread.id": threadId,
      "troupe.turn.id": turnId,
      "troupe.attempt.id": attemptId,
      "troupe.runner.id": runnerId
    }
    const from = parent === null ? { root: true } : { parent }
    return judged(work, `invoke_agent ${agent.name}`, { ...from, kind: "internal", attributes }, (end) =>
      end._tag === "Failed" ? end.error.code : null
    )
  }

/** The work of a sub-agent, within that of the call that has it. */
export const subagentSpan =
  (name: string) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Tracing.isTraced, (traced) => {
      const attributes = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name }
      return traced ? Effect.withSpan(work, `invoke_agent ${name}`, { kind: "internal", attributes, ...bare }) : work
    })

/** A request to a model. Words are in it only where somebody wanted them there. */
export const chatSpan =
  (provider: string, request: ModelRequest) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Tracing.isTraced, (traced) => {
      if (!traced) return work
      const { history, instructions, model, settings } = request
      const attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        ...(settings.maxTokens === undefined ? {} : { "gen_ai.request.max_tokens": settings.maxTokens }),
        ...(settings.temperature === undefined ? {} : { "gen_ai.request.temperature": settings.temperature })
      }
      return Effect.andThen(
        content({ "gen_ai.system_instructions": instructions, "gen_ai.input.messages": history }),
        work
      ).pipe(Effect.withSpan(`chat ${model}`, { kind: "client", attributes, ...bare }))
    })

/** What a request came to, said of the span in which it ends. */
export const chatEnded = (stop: string | null, usage: Usage, said: string) =>
  Effect.andThen(
    Effect.annotateCurrentSpan({
      ...(stop === null ? {} : { "gen_ai.response.finish_reasons": [stop] }),
      "gen_ai.usage.input_tokens": usage.inputTokens + usage.cacheReadTokens,
      "gen_ai.usage.output_tokens": usage.outputTokens,
      "gen_ai.usage.cache_read.input_tokens": usage.cacheReadTokens,
      "troupe.usage.source": usage.source,
      ...(usage.costMicroUsd === null ? {} : { "troupe.usage.cost_micro_usd": usage.costMicroUsd })
    }),
    content({ "gen_ai.output.messages": [{ role: "assistant", parts: [{ type: "text", content: said }] }] })
  )

/** A call of a tool, from when it is asked for until it has its outcome, or waits for somebody. */
export const toolSpan =
  (call: Pick<ToolCallRequest, "name"> & { readonly callId: string }, executor: string | null, server: string | null) =>
  <E, R>(work: Effect.Effect<ToolResult, E, R>): Effect.Effect<ToolResult, E, R> => {
    const attributes = {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": call.name,
      "gen_ai.tool.call.id": call.callId,
      "gen_ai.tool.type": executor === "mcp" ? "extension" : "function",
      ...(executor === null ? {} : { "troupe.tool.executor": executor }),
      ...(server === null ? {} : { "troupe.mcp.server": server })
    }
    const told = Effect.tap(work, (result) =>
      Effect.annotateCurrentSpan("troupe.tool.outcome", result._tag === "Done" ? result.outcome : "awaiting")
    )
    return judged(told, `execute_tool ${call.name}`, { kind: "internal", attributes }, (result) =>
      result._tag === "Done" && result.isError ? result.outcome : null
    )
  }

const content = (words: Readonly<Record<string, unknown>>) =>
  Effect.flatMap(Tracing.SpanContent, (textOf) => {
    const texts = Object.entries(words).flatMap(([key, value]) => {
      const text = textOf(value)
      return text === null ? [] : [[key, text] as const]
    })
    return texts.length === 0 ? Effect.void : Effect.annotateCurrentSpan(Object.fromEntries(texts))
  })
