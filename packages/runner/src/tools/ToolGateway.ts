import { canonical } from "@troupe/domain/CanonicalJson"
import type { EventId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import { unknownOutcomeText } from "@troupe/domain/session/Content"
import type { Call } from "@troupe/domain/session/SessionState"
import { awaitsOnceAllowed, grantKey } from "@troupe/domain/session/standing"
import { violations } from "@troupe/domain/tools/JsonSchema"
import { permit, type Verdict } from "@troupe/domain/tools/Permission"
import { layersOf } from "@troupe/domain/tools/PolicyLayers"
import { Cause, Clock, Deferred, Effect, Exit, Option, Result, Semaphore } from "effect"
import { hash } from "node:crypto"
import type { AttemptFrames, JournalFull } from "../attempt/AttemptFrames.ts"
import type { Scrubber } from "../secrets/Scrubber.ts"
import { toolSpan } from "../telemetry/spans.ts"
import { protocolWords } from "../secrets/scrubFrame.ts"
import { classified, type Classifier } from "./Classifier.ts"
import { KeyedLock } from "./KeyedLock.ts"
import { type AskedQuestion, say, type Tool, type ToolFailure, type ToolOutput } from "./Tool.ts"
import type { ToolCallRequest, ToolCalls, ToolResult } from "./ToolCalls.ts"
import { contentBytes, fitting } from "./ToolContent.ts"
import type { ToolPlace } from "./ToolPlace.ts"

/** Arguments of a call, as JSON. What is longer would not fit into the command that records it. */
const inputBytesMax = 768 * 1_024
const parallelMax = 8
/** Tools that mind their own time get this much longer before the gateway ends them. */
const graceMs = 5_000
const problemsShown = 10
const failureLengthMax = 16_384

export interface GatewayOptions {
  readonly request: Pick<RunRequest, "agent" | "overrides" | "policies" | "calls" | "history">
  /** Whether calls of this `grantKey` are allowed for the whole session, as far as this runner has heard. */
  readonly isGranted: (key: string) => boolean
  readonly frames: AttemptFrames
  readonly place: ToolPlace
  /** What `toolCatalog` made of the agent's list. */
  readonly tools: ReadonlyArray<Tool>
  /** Judges calls that a policy leaves to a model; null: there is none, and somebody is asked. */
  readonly classifier: Classifier | null
  readonly scrubber: Scrubber
  readonly mintCallId: Effect.Effect<EventId>
}

type Done = Extract<ToolResult, { readonly _tag: "Done" }>
type Outcome = Done["outcome"]
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** How far a call has come: what may be said of it if it is cut off. */
interface Progress {
  readonly callId: EventId
  readonly audit: JsonObject
  startedAt: number | null
}

/** What was thought of a call when it was asked for. */
interface Weighed {
  readonly tool: Tool | undefined
  readonly executor: Call["executor"]
  readonly server: string | null
  readonly verdict: Verdict
  readonly question: AskedQuestion | null
  readonly awaits: Call["awaits"]
}

interface Announced extends Weighed {
  readonly progress: Progress
}

/** The one way to a tool for an attempt. */
export const makeToolGateway = (options: GatewayOptions): ToolCalls => {
  const { frames, place, request, scrubber } = options
  const tools = new Map(options.tools.map((tool) => [tool.spec.name, tool]))
  const layers = layersOf(request)
  const slots = Semaphore.makeUnsafe(parallelMax)
  const changes = new KeyedLock()
  const asked = new Map<EventId, Deferred.Deferred<ToolResult, JournalFull>>()
  /** Asked for, and not called yet. */
  const known = new Map<EventId, Announced>()

  const finish = Effect.fnUntraced(function* (progress: Progress, outcome: Outcome, output: ToolOutput) {
    const { callId, startedAt } = progress
    const { content } = output
    const isError = outcome !== "succeeded"
    const durationMs = startedAt === null ? null : (yield* Clock.currentTimeMillis) - startedAt
    const audit = { ...progress.audit, outputBytes: contentBytes(content) }
    const details = { ...scrubber.value(output.details ?? {}), audit }
    yield* frames.say({ _tag: "ToolFinished", callId, outcome, content, isError, durationMs, details })
    return { _tag: "Done", callId, outcome, content, isError, details } satisfies Done
  })

  /** A closing word of our own. */
  const close = (progress: Progress, outcome: Outcome, message: string, details?: JsonObject) =>
    finish(progress, outcome, say(scrubber.text(message), details))

  const verdictOn = (tool: Tool | undefined, name: string, input: Json, isApproved: boolean): Verdict => {
    const deny = (rule: string, reason: string): Verdict => ({ permission: "deny", rule, reason })
    if (tool === undefined) return deny("catalog", notInCatalog(name, options.tools))
    if (canonical(input).length > inputBytesMax) {
      return deny("input.size", `The arguments are longer than ${inputBytesMax} bytes. Do it in smaller steps.`)
    }
    const wrong = violations(tool.spec.inputSchema, input)
    if (wrong.length > 0) return deny("input.schema", wrongInput(name, wrong))
    const question = tool.question?.(input as JsonObject)
    if (question !== undefined && Result.isFailure(question)) {
      return deny("input.question", wrongInput(name, [question.failure]))
    }
    const verdict = permit(
      {
        layers,
        policy: tool.policy,
        unisolated: place.isolation === "none" && tool.executor === "sandbox"
      },
      {
        name,
        server: tool.spec.server,
        input,
        readOnly: tool.spec.readOnly,
        paths: tool.paths,
        scripts: tool.scripts,
        workspace: place.workspace
      }
    )
    if (verdict.permission === "deny") return { ...verdict, reason: refusal(verdict) }
    // Nobody is asked whether to ask.
    if (question !== undefined) return { ...verdict, permission: "allow" }
    // An approval is an answer to the question. What the policy forbids, it can't allow.
    return isApproved && verdict.permission === "ask" ? { ...verdict, permission: "allow" } : verdict
  }

  /** Says that the call starts, and waits until that is in the log. */
  const begin = Effect.fnUntraced(function* (tool: Tool, progress: Progress) {
    yield* frames.mayBegin
    const at = yield* Clock.currentTimeMillis
    const started = yield* Effect.uninterruptible(
      Effect.tap(frames.emit({ _tag: "ToolStarted", callId: progress.callId, at }), () =>
        Effect.sync(() => {
          progress.startedAt = at
        })
      )
    )
    if (!tool.spec.readOnly) yield* frames.committed(started)
  })

  const run = Effect.fnUntraced(function* (
    tool: Tool,
    input: JsonObject,
    callId: EventId
  ): Effect.fn.Return<ToolOutput, ToolFailure> {
    const timeoutMs = tool.timeoutMs(input) + graceMs
    const output = yield* Effect.timeoutOption(Effect.scoped(tool.run(input, callId)), timeoutMs)
    if (Option.isNone(output)) {
      return { ...say(`Ended by force after ${timeoutMs} ms.`), outcome: "timed_out" }
    }
    const content = yield* fitting(place, scrubber.value(output.value.content, protocolWords))
    return { ...output.value, content }
  })

  /** Begins the call once it may, and sees it to its one outcome. To be called where nothing interrupts. */
  const carryOut = (tool: Tool, input: JsonObject, progress: Progress, restore: Restore) => {
    const begun = progress.startedAt === null ? begin(tool, progress) : frames.mayBegin
    // The lock before the slot: those that wait for each other take no place from those that could run.
    return Effect.andThen(begun, run(tool, input, progress.callId)).pipe(
      slots.withPermits(1),
      changes.withLock(tool.changes(input)),
      restore,
      Effect.exit,
      Effect.flatMap((exit) => conclude(tool, progress, exit))
    )
  }

  const conclude = Effect.fnUntraced(function* (
    tool: Tool,
    progress: Progress,
    exit: Exit.Exit<ToolOutput, ToolFailure | JournalFull>
  ) {
    if (Exit.isSuccess(exit)) return yield* finish(progress, exit.value.outcome ?? "succeeded", exit.value)
    const { cause } = exit
    if (Cause.hasInterrupts(cause)) {
      yield* close(progress, "interrupted", interruptedText(progress))
      return yield* Effect.interrupt
    }
    const error = Cause.findErrorOption(cause)
    if (Option.isSome(error)) {
      if (error.value._tag === "JournalFull") return yield* error.value
      return yield* close(progress, "failed", error.value.message.slice(0, failureLengthMax), error.value.details)
    }
    yield* Effect.logError(`The tool ${tool.spec.name} broke`, cause)
    const outcome = progress.startedAt === null ? "interrupted" : "failed"
    return yield* close(progress, outcome, `${tool.spec.name} broke. This is a fault of the runner, not of the call.`)
  })

  /** What is to become of a call that is asked for. A model may be asked, too. */
  const weigh = Effect.fnUntraced(function* (call: ToolCallRequest) {
    const tool = tools.get(call.name)
    const executor = tool?.executor ?? "function"
    const server = tool?.spec.server ?? null
    const decided = yield* classified(options.classifier, verdictOn(tool, call.name, call.input, false), call)
    const isGranted = decided.permission === "ask" && options.isGranted(grantKey({ executor, server, name: call.name }))
    const verdict = isGranted ? { ...decided, reason: "allowed for the whole session" } : decided
    const question = verdict.permission === "deny" ? null : askedBy(tool, call.input)
    const awaits =
      verdict.permission === "deny"
        ? "nothing"
        : verdict.permission === "ask" && !isGranted
          ? "confirmation"
          : question !== null
            ? "answer"
            : awaitsOnceAllowed(executor)
    return { tool, executor, server, verdict, question, awaits } as const
  })

  /** Says that a call is asked for, and what is thought of it. */
  const announce = Effect.fnUntraced(function* (call: ToolCallRequest, callId: EventId, weighed: Weighed) {
    const { awaits, executor, question, server, tool, verdict } = weighed
    const expiresInMs = question?.expiresInMs ?? null
    const expiresAt = expiresInMs === null ? null : (yield* Clock.currentTimeMillis) + expiresInMs
    const canonicalInput = canonical(call.input)
    const input =
      canonicalInput.length > inputBytesMax ? { omitted: `${canonicalInput.length} characters` } : call.input
    const inputDigest = hash("sha256", canonicalInput, "hex")
    const { idempotent, ownName, readOnly } = tool?.spec ?? { idempotent: false, readOnly: true }
    yield* frames.say({
      _tag: "ToolRequested",
      callId,
      requestId: call.requestId,
      providerCallId: call.providerCallId,
      name: call.name,
      ...(ownName === undefined ? {} : { ownName }),
      server,
      executor,
      input,
      inputDigest,
      readOnly,
      idempotent,
      verdict: { permission: verdict.permission, rule: verdict.rule, reason: verdict.reason },
      awaits,
      question: question === null ? null : { ...question.question },
      expiresAt
    })
    const announced = { ...weighed, progress: progressOf(callId, call.name, executor, verdict, inputDigest) }
    known.set(callId, announced)
    return announced
  })

  const ask = Effect.fnUntraced(function* (call: ToolCallRequest, callId: EventId, restore: Restore) {
    const { awaits, progress, tool, verdict } =
      known.get(callId) ?? (yield* announce(call, callId, yield* restore(weigh(call))))
    known.delete(callId)
    if (verdict.permission === "deny" || tool === undefined) {
      return yield* close(progress, "denied", verdict.reason ?? deniedText)
    }
    if (awaits !== "nothing") return { _tag: "Awaiting", callId } satisfies ToolResult
    return yield* carryOut(tool, call.input as JsonObject, progress, restore)
  })

  const progressOf = (
    callId: EventId,
    name: string,
    executor: Call["executor"],
    verdict: Verdict,
    inputDigest: string
  ): Progress => {
    const { permission, rule } = verdict
    const { backend, isolation } = place
    return {
      callId,
      startedAt: null,
      audit: { tool: name, executor, permission, rule, inputDigest, backend, isolation }
    }
  }

  /** Whoever asks twice for one call gets its one result. */
  const once = (callId: EventId, work: (restore: Restore) => Effect.Effect<ToolResult, JournalFull>) =>
    Effect.uninterruptibleMask((restore) => {
      const before = asked.get(callId)
      if (before !== undefined) return restore(Deferred.await(before))
      const result = Deferred.makeUnsafe<ToolResult, JournalFull>()
      asked.set(callId, result)
      return Effect.onExit(work(restore), (exit) => Deferred.done(result, exit))
    })

  const call = Effect.fnUntraced(function* (given: ToolCallRequest) {
    const callId = given.callId ?? (yield* options.mintCallId)
    return yield* once(callId, (restore) => ask(given, callId, restore)).pipe(spanOf(callId, given.name))
  })

  const spanOf = (callId: EventId, name: string) => {
    const tool = tools.get(name)
    return toolSpan({ name, callId }, tool?.executor ?? null, tool?.spec.server ?? null)
  }

  const inputOf = (open: Call): Json | undefined => {
    if (open.editedInput !== null) return open.editedInput
    const item = request.history.find((one) => one.type === "tool_call" && one.callId === open.callId)
    return item?.type === "tool_call" ? item.input : undefined
  }

  /** A call of an earlier attempt. The log says what was approved, and that alone runs. */
  const takeUp = Effect.fnUntraced(function* (open: Call, restore: Restore) {
    const { awaits, callId, executor, idempotent, inputDigest, name, status } = open
    if (awaits !== "nothing") return { _tag: "Awaiting", callId } satisfies ToolResult
    const tool = tools.get(name)
    const input = inputOf(open)
    const verdict = verdictOn(tool, name, input ?? null, true)
    const progress = progressOf(callId, name, executor, verdict, inputDigest)
    if (status === "started" && !idempotent) return yield* close(progress, "unknown", unknownOutcomeText)
    if (status === "requested") return yield* close(progress, "interrupted", interruptedText(progress))
    if (status === "denied" || status === "expired") return yield* close(progress, "denied", open.message ?? deniedText)
    if (input === undefined || hash("sha256", canonical(input), "hex") !== inputDigest) {
      return yield* close(progress, "denied", "These are not the arguments that were approved. Nothing was done.")
    }
    if (tool === undefined || verdict.permission === "deny") {
      return yield* close(progress, "denied", verdict.reason ?? deniedText)
    }
    if (status === "started") progress.startedAt = yield* Clock.currentTimeMillis
    return yield* carryOut(tool, input as JsonObject, progress, restore)
  })

  return {
    catalog: options.tools.map(({ spec }) => spec),
    call,
    // A model that judges takes its time: it does so for all at once. What is said keeps the order of the answer.
    request: Effect.fnUntraced(function* (calls) {
      const weighed = yield* Effect.forEach(calls, weigh, { concurrency: parallelMax })
      yield* Effect.uninterruptible(
        Effect.forEach(calls, (one, index) => announce(one, one.callId, weighed[index]!), { discard: true })
      )
    }),
    resume: Effect.suspend(() =>
      Effect.forEach(
        request.calls,
        ({ callId, name }, index) =>
          once(callId, (restore) => takeUp(request.calls[index]!, restore)).pipe(spanOf(callId, name)),
        { concurrency: "unbounded" }
      )
    )
  }
}

/** What the call asks a person, if that is what it does. */
const askedBy = (tool: Tool | undefined, input: Json): AskedQuestion | null => {
  const question = tool?.question?.(input as JsonObject)
  return question === undefined ? null : Result.getOrElse(question, () => null)
}

const deniedText = "The call was denied."
const namesShown = 40

const notInCatalog = (name: string, tools: ReadonlyArray<Tool>): string => {
  const names = tools.map(({ spec }) => spec.name)
  const shown = names.slice(0, namesShown).join(", ")
  const more = names.length > namesShown ? `, and ${names.length - namesShown} more` : ""
  return `There is no tool ${JSON.stringify(name)}. ${names.length === 0 ? "There are no tools." : `There is ${shown}${more}.`}`
}

const wrongInput = (name: string, wrong: ReadonlyArray<string>): string =>
  [`The arguments of ${name} are not what it takes:`, ...wrong.slice(0, problemsShown).map((one) => `- ${one}`)].join(
    "\n"
  )

const refusal = ({ reason, rule }: Verdict): string =>
  `The call was denied by ${rule}${reason === null ? "" : `: ${reason.replace(/\.$/, "")}`}.`

const interruptedText = ({ startedAt }: Progress): string =>
  startedAt === null
    ? "The call was interrupted before it began. Nothing was done."
    : "The call was interrupted while it ran. What it had done by then stays done."
