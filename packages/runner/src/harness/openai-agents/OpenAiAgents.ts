import { Agent, type Model, Runner, setTracingDisabled, tool, Usage } from "@openai/agents"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import type { ErrorInfo } from "@troupe/domain/session/Status"
import { Effect, FiberSet, Result } from "effect"
import type { JournalFull } from "../../attempt/AttemptFrames.ts"
import type { ModelSettings } from "../../models/ModelClient.ts"
import { capabilities, type HarnessCapability } from "../capabilities.ts"
import type { Harness, HarnessEnd, HarnessRun } from "../Harness.ts"
import type { ChosenModel } from "../model/ChosenModel.ts"
import type { StepAnswer, StepCall } from "../model/ModelStep.ts"
import * as ModelTurn from "../model/ModelTurn.ts"
import * as Strategies from "../model/Strategies.ts"

export interface OpenAiAgentsOptions {
  /** The model of this name, or why there is none. The secrets of the run may hold its key. */
  readonly choose: (name: string, run: HarnessRun) => Effect.Effect<Result.Result<ChosenModel, ErrorInfo>>
  readonly strategies?: Partial<Strategies.Strategies>
}

// Traces are ours: the SDK would send its own to a service outside.
setTracingDisabled(true)

/** The one tool that stands for every name that is in no catalog: the gateway says so to the model. */
const unknownTool = "unknown_tool"

type Turn = ModelTurn.ModelTurn
type StreamEvent = ReturnType<Model["getStreamedResponse"]> extends AsyncIterable<infer Event> ? Event : never
type Answered = Extract<StreamEvent, { readonly type: "response_done" }>["response"]

/** Thrown through the SDK's loop to leave it. Why is known outside. */
class LoopLeft extends Error {}

const message = (said: string): Answered["output"][number] => ({
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: said }]
})

/** Our answer as the loop understands it. What the model wrote as arguments is for the gateway to read, and to judge. */
const answered = ({ calls, requestId, said }: StepAnswer, aliases: ReadonlyMap<string, string>): Answered => ({
  id: requestId,
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  output: [
    // Without words and without calls the loop would ask again, and for the same.
    ...(said !== "" || calls.length === 0 ? [message(said)] : []),
    ...calls.map(({ callId, name }): Answered["output"][number] => ({
      type: "function_call",
      callId,
      name: aliases.get(name) ?? unknownTool,
      status: "completed",
      arguments: "{}"
    }))
  ]
})

interface Loop {
  readonly turn: Turn
  readonly run: HarnessRun
  readonly runPromise: <A>(effect: Effect.Effect<A, JournalFull>) => Promise<A>
  readonly parallelCalls: number
}

/** Runs the SDK's loop over our model and our tools. Its own state is of no use to us, and is thrown away. */
const loop = async ({ parallelCalls, run, runPromise, turn }: Loop, signal: AbortSignal): Promise<HarnessEnd> => {
  // The SDK writes names in its own way, `a-b` as `a_b`, and would then not know its own tool: it gets names that stay.
  const aliases = new Map(run.tools.catalog.map(({ name }, index) => [name, `tool_${index}`]))
  const calls = new Map<string, { readonly call: StepCall; readonly answer: StepAnswer }>()
  let end: HarnessEnd | null = null

  const ask = async () => {
    const next = await runPromise(turn.next)
    if ("end" in next) {
      end = next.end
      throw new LoopLeft()
    }
    for (const call of next.calls) calls.set(call.callId, { call, answer: next })
    if (next.stop === "refusal") {
      end = { _tag: "Completed", stop: "refusal", details: next.details }
      throw new LoopLeft()
    }
    end = next.stop === "max_tokens" ? { _tag: "Completed", stop: "end_turn", details: { truncated: true } } : null
    return answered(next, aliases)
  }

  const model: Model = {
    getResponse: async () => {
      const { output } = await ask()
      return { usage: new Usage(), output }
    },
    getStreamedResponse: async function* () {
      yield { type: "response_started" }
      yield { type: "response_done", response: await ask() }
    }
  }

  const execute = async (callId: string | undefined) => {
    const found = calls.get(callId ?? "")
    if (found === undefined) throw new Error(`The loop made up the call ${callId}`)
    await runPromise(turn.call(found.call, found.answer))
    return "done"
  }
  const tools = [...aliases.values(), unknownTool].map((name) =>
    tool({
      name,
      description: name,
      strict: false,
      parameters: { type: "object", properties: {}, required: [], additionalProperties: true },
      errorFunction: null,
      execute: (_input, _context, details) => execute(details?.toolCall?.callId)
    })
  )

  const agent = new Agent({
    name: run.request.agent.name,
    model,
    tools,
    toolUseBehavior: () =>
      turn.isAwaiting()
        ? { isFinalOutput: true, isInterrupted: undefined, finalOutput: "" }
        : { isFinalOutput: false, isInterrupted: undefined }
  })
  try {
    const runner = new Runner({ tracingDisabled: true })
    const streamed = await runner.run(agent, "", {
      stream: true,
      signal,
      maxTurns: null,
      toolExecution: { maxFunctionToolConcurrency: parallelCalls }
    })
    for await (const _event of streamed) {
      // What it tells is in the log already.
    }
    await streamed.completed
  } catch (cause) {
    if (end === null || !(cause instanceof LoopLeft)) throw cause
  }
  if (turn.isAwaiting()) return { _tag: "Suspended", reason: "requires_action" }
  return end ?? { _tag: "Completed", stop: "end_turn", details: null }
}

const settingsOf = ({ agent, overrides }: Pick<RunRequest, "agent" | "overrides">): ModelSettings => {
  const effort = overrides.effort ?? agent.model.effort
  const { maxTokens, output, speed, temperature } = agent.model
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(speed === undefined ? {} : { speed }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(output === undefined ? {} : { output: { name: "answer", schema: output } })
  }
}

/** The default harness: the loop of the OpenAI Agents SDK, over any provider's models and the runner's own tools. */
export const make = (options: OpenAiAgentsOptions): Harness => {
  const strategies = { ...Strategies.defaults, ...options.strategies }

  const work = Effect.fnUntraced(function* (run: HarnessRun) {
    const { agent, overrides } = run.request
    const main = yield* options.choose(overrides.model ?? agent.model.id, run)
    if (Result.isFailure(main)) return failed(main.failure)
    const aux = agent.auxModel === null ? main : yield* options.choose(agent.auxModel, run)
    const turn = ModelTurn.make({
      run,
      main: main.success,
      // Summing up with the main model beats not summing up.
      aux: Result.getOrElse(aux, () => main.success),
      settings: settingsOf(run.request),
      strategies
    })
    yield* turn.begin
    if (turn.isAwaiting()) return { _tag: "Suspended", reason: "requires_action" } as const

    // The SDK calls back from promises. What it starts there lives in this set, and ends with the run.
    const fibers = yield* FiberSet.make<unknown, JournalFull>()
    const start = yield* FiberSet.runtime(fibers)<never>()
    let full: JournalFull | null = null
    const runPromise = <A>(effect: Effect.Effect<A, JournalFull>): Promise<A> =>
      new Promise((resolve, reject) => {
        const noted = Effect.tapError(effect, (error) =>
          Effect.sync(() => {
            full = error
          })
        )
        start(noted).addObserver((exit) => (exit._tag === "Success" ? resolve(exit.value) : reject(exit.cause)))
      })
    const { parallelCalls } = strategies
    const looped = (signal: AbortSignal): Promise<Result.Result<HarnessEnd, JournalFull>> =>
      loop({ turn, run, runPromise, parallelCalls }, signal).then(Result.succeed, (cause: unknown) => {
        if (full !== null) return Result.fail(full)
        throw cause
      })
    // What goes wrong in the loop itself is a defect: it is not ours, and nobody can act on it.
    return yield* Effect.flatMap(Effect.promise(looped), Effect.fromResult)
  }, Effect.scoped)

  return {
    name: "openai-agents",
    capabilities: Object.keys(capabilities) as ReadonlyArray<HarnessCapability>,
    probe: Effect.succeed({ version: "0.20.0", usable: true, notes: [] }),
    run: work
  }
}

const failed = (error: ErrorInfo): HarnessEnd => ({ _tag: "Failed", error, retryable: false, retryAfterMs: null })
