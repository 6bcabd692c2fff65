import type { EventId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { FrameBody } from "@troupe/domain/session/Frame"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Message } from "@troupe/domain/session/SessionState"
import { noTotals } from "@troupe/domain/session/Usage"
import { Deferred, Effect, Latch } from "effect"
import type { AttemptFrames } from "../../src/attempt/AttemptFrames.ts"
import type { HarnessRun } from "../../src/harness/Harness.ts"
import { Spending } from "../../src/harness/Spending.ts"
import type { NamedCall, ToolCallRequest, ToolCalls, ToolResult, ToolSpec } from "../../src/tools/ToolCalls.ts"

/** A tool of a test: what it answers, or that somebody outside must answer first. */
export type FakeTool = (input: unknown) => Effect.Effect<string | "awaiting">

export interface FakeRunOptions {
  readonly model: string
  readonly history: ReadonlyArray<HistoryItem>
  readonly tools?: Readonly<Record<string, FakeTool>>
  readonly budget?: HarnessRun["request"]["budget"]
  readonly aux?: string
  readonly system?: string
  readonly maxSteps?: number
  /** Requests that earlier attempts of the turn made. */
  readonly modelRequests?: number
  readonly settings?: Partial<HarnessRun["request"]["agent"]["model"]>
  readonly resume?: ToolCalls["resume"]
  /** The time, in milliseconds. */
  readonly now?: () => number
}

export const user = (message: string): HistoryItem => ({
  type: "user",
  inputId: null,
  from: null,
  content: text(message)
})

/** An attempt without a session: what the harness says is kept, and what people send is put in by the test. */
export const make = (options: FakeRunOptions) => {
  const frames: Array<FrameBody> = []
  const deltas: Array<readonly [EventId, number, string]> = []
  const thoughts: Array<EventId> = []
  const steers: Array<Message> = []
  const lease = Latch.makeUnsafe(true)
  const stopped = Deferred.makeUnsafe<"paused" | "budget">()
  let stop: "paused" | "budget" | null = null
  const waiters: Array<{ readonly when: (body: FrameBody) => boolean; readonly latch: Latch.Latch }> = []

  const emit = (body: FrameBody) =>
    Effect.sync(() => {
      frames.push(body)
      for (const { latch, when } of waiters) if (when(body)) latch.openUnsafe()
      return frames.length
    })
  const attempt: AttemptFrames = {
    emit,
    say: (body) => Effect.asVoid(emit(body)),
    written: Effect.void,
    committed: () => Effect.void,
    delta: (blockId, offset, piece) => void deltas.push([blockId, offset, piece]),
    thinks: (blockId) => void thoughts.push(blockId),
    mayBegin: lease.await
  }

  const catalog = Object.keys(options.tools ?? {}).map((name): ToolSpec => ({
    name,
    server: null,
    description: `Does ${name}`,
    inputSchema: { type: "object", properties: {} },
    readOnly: false,
    idempotent: false
  }))
  const requested = new Set<string>()
  const announce = ({ callId, input, name, providerCallId, requestId }: NamedCall) => {
    requested.add(callId)
    return counted.emit({ _tag: "ToolRequested", callId, requestId, providerCallId, name, input } as FrameBody)
  }
  const call = Effect.fnUntraced(function* (request: ToolCallRequest) {
    const callId = request.callId ?? (`sevt_made_${frames.length}` as EventId)
    if (!requested.has(callId)) yield* announce({ ...request, callId })
    yield* counted.emit({ _tag: "ToolStarted", callId, at: 0 })
    const tool = options.tools?.[request.name]
    const said =
      tool === undefined
        ? `There is no tool ${request.name}`
        : typeof request.input === "string"
          ? "The input is no JSON"
          : yield* tool(request.input)
    if (said === "awaiting") return { _tag: "Awaiting", callId } satisfies ToolResult
    yield* counted.emit({ _tag: "ToolFinished", callId, content: text(said), details: null } as FrameBody)
    const outcome = tool === undefined ? "failed" : "succeeded"
    return { _tag: "Done", callId, outcome, content: text(said), isError: tool === undefined } satisfies ToolResult
  })

  const agent = {
    name: "tester",
    model: { ...options.settings, id: options.model },
    auxModel: options.aux ?? null,
    ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
    system: options.system ?? "You are brief."
  }
  const request = {
    sessionId: "sesn",
    threadId: "sthr",
    turnId: "turn",
    agent,
    overrides: {},
    history: options.history,
    calls: [],
    resources: [],
    budget: options.budget ?? [],
    used: { session: noTotals, turn: { ...noTotals, modelRequests: options.modelRequests ?? 0 } }
  } as unknown as HarnessRun["request"]

  const spending = new Spending({ request, now: options.now ?? (() => 0) })
  const counted = spending.counting(attempt)
  const run: HarnessRun = {
    request,
    frames: counted,
    spending,
    inbox: {
      takeSteers: Effect.gen(function* () {
        const taken = steers.splice(0)
        for (const { inputId } of taken) yield* emit({ _tag: "SteerTaken", inputId })
        return taken
      }),
      stop: Effect.sync(() => stop),
      stopped: Deferred.await(stopped)
    },
    tools: {
      catalog,
      call,
      request: (calls) => Effect.forEach(calls, announce, { discard: true }),
      resume: options.resume ?? Effect.succeed([])
    },
    blob: () => Effect.succeed(null),
    secret: () => Effect.succeed(null)
  }

  return {
    run,
    frames,
    deltas,
    thoughts,
    lease,
    steer: (message: string) =>
      void steers.push({ inputId: "sevt_steer" as EventId, content: text(message) } as Message),
    stop: (reason: "paused" | "budget") => {
      stop = reason
      Deferred.doneUnsafe(stopped, Effect.succeed(reason))
    },
    /** Waits for a frame that has not come yet. */
    until: (tag: FrameBody["_tag"]) =>
      Effect.suspend(() => {
        const latch = Latch.makeUnsafe(frames.some((body) => body._tag === tag))
        waiters.push({ when: (body) => body._tag === tag, latch })
        return latch.await
      })
  }
}

export const said = (frames: ReadonlyArray<FrameBody>): ReadonlyArray<string> =>
  frames.flatMap((body) =>
    body._tag === "MessageBlock"
      ? [body.content.map((block) => (block.type === "text" ? block.text : "")).join("") + (body.partial ? "…" : "")]
      : []
  )

/** Each announced request has ended once, and nothing else has. */
export const unbalanced = (frames: ReadonlyArray<FrameBody>): ReadonlyArray<string> => {
  const ids = (tag: "ModelRequestStarted" | "ModelRequestEnded") =>
    frames.flatMap((body) => (body._tag === tag ? [body.requestId as string] : []))
  const [started, ended] = [ids("ModelRequestStarted"), ids("ModelRequestEnded")]
  return [
    ...started.filter((id) => ended.filter((one) => one === id).length !== 1),
    ...ended.filter((id) => !started.includes(id))
  ]
}
