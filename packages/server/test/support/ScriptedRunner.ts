import type { EventId, ModelRequestId, RunnerId, SandboxId } from "@troupe/domain/Ids"
import type { Frame, FrameBody } from "@troupe/domain/session/Frame"
import { text } from "@troupe/domain/session/Content"
import type { Call, Message } from "@troupe/domain/session/SessionState"
import type { Usage } from "@troupe/domain/session/Usage"
import { Clock, Effect, Fiber, Latch, type Scope, Stream } from "effect"
import {
  AttemptDriver,
  AttemptGone,
  AttemptUnknown,
  EpochRefused,
  RunnerAway,
  type AttemptRef,
  type Delivery,
  type Output,
  type RunRequest
} from "../../src/session/AttemptDriver.ts"
import type { Script, Step } from "./AttemptScript.ts"
import { mintId, type Prng } from "./Prng.ts"

export interface RunnerNote {
  readonly sessionId: string
  readonly attemptId: string
  readonly epoch: number
  readonly note:
    | { readonly _tag: "RunCalled" }
    | { readonly _tag: "Effect"; readonly callId: string; readonly readOnly: boolean }
}

interface Attempt {
  readonly request: RunRequest
  readonly frames: Array<Frame>
  readonly deltas: Array<{
    readonly blockId: string
    readonly offset: number
    readonly text: string
    readonly afterFrame: number
  }>
  acknowledged: number
  done: boolean
  gone: boolean
  interrupted: boolean
  stop: "paused" | "budget" | null
  readonly steers: Map<string, Message>
  readonly taken: Set<string>
  /** Opened whenever something changed that somebody may wait for. */
  changed: Latch.Latch
  fiber: Fiber.Fiber<void> | null
}

export interface ScriptedRunnerOptions {
  readonly random: Prng
  readonly script: (request: RunRequest) => Script
  readonly runnerId: RunnerId
}

export interface ScriptedRunner {
  readonly driver: AttemptDriver["Service"]
  readonly notes: ReadonlyArray<RunnerNote>
  /** Calls fail and streams break until it is back. */
  readonly setAway: (away: boolean) => void
  readonly setPlacement: (reason: string | null) => void
  readonly busy: () => number
}

const usage = (tokens: number, source: Usage["source"]): Usage => ({
  source,
  inputTokens: tokens,
  outputTokens: Math.ceil(tokens / 2),
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: tokens * 3
})

const zeros = "0".repeat(64)

/**
 * A runner that plays scripts. It keeps the contract of real ones: a journal of numbered frames until they are
 * acknowledged, the intent gate, one start per attempt, the highest epoch per session. It lives outside of any node.
 */
export const make = Effect.fnUntraced(function* (
  options: ScriptedRunnerOptions
): Effect.fn.Return<ScriptedRunner, never, Scope.Scope> {
  const { random, runnerId } = options
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const attempts = new Map<string, Attempt>()
  const epochs = new Map<string, number>()
  const notes: Array<RunnerNote> = []
  let away = false
  let placement: string | null = null
  let link = Latch.makeUnsafe(false)

  const touch = (attempt: Attempt) => {
    const { changed } = attempt
    attempt.changed = Latch.makeUnsafe(false)
    changed.openUnsafe()
  }

  const emit = (attempt: Attempt, body: FrameBody) => {
    attempt.frames.push({ n: attempt.frames.length + 1, at: clock.currentTimeMillisUnsafe(), body })
    touch(attempt)
  }

  const finish = (attempt: Attempt, body: FrameBody) => {
    emit(attempt, body)
    attempt.done = true
    touch(attempt)
  }

  const until = (attempt: Attempt, condition: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(attempt.changed.await, until(attempt, condition))))

  const effect = (attempt: Attempt, callId: string, readOnly: boolean) => {
    const { attemptId, epoch, sessionId } = attempt.request
    notes.push({ sessionId, attemptId, epoch, note: { _tag: "Effect", callId, readOnly } })
  }

  /** The intent gate: an effect begins only once its start is in the log. */
  const perform = Effect.fnUntraced(function* (
    attempt: Attempt,
    call: { readonly callId: EventId; readonly readOnly: boolean },
    ms: number,
    fails: boolean
  ) {
    emit(attempt, { _tag: "ToolStarted", callId: call.callId, at: clock.currentTimeMillisUnsafe() })
    const intent = attempt.frames.length
    if (!call.readOnly) yield* until(attempt, () => attempt.acknowledged >= intent)
    effect(attempt, call.callId, call.readOnly)
    yield* Effect.sleep(ms)
    emit(attempt, {
      _tag: "ToolFinished",
      callId: call.callId,
      outcome: fails ? "failed" : "succeeded",
      content: text("done"),
      isError: fails,
      durationMs: ms,
      details: null
    })
  })

  const think = Effect.fnUntraced(function* (attempt: Attempt, step: Extract<Step, { readonly _tag: "Think" }>) {
    for (const [inputId, message] of attempt.steers) {
      attempt.steers.delete(inputId)
      attempt.taken.add(inputId)
      emit(attempt, { _tag: "SteerTaken", inputId: message.inputId })
    }
    const requestId = mintId(random, "ModelRequest") as ModelRequestId
    const blockId = mintId(random, "Event") as EventId
    emit(attempt, {
      _tag: "ModelRequestStarted",
      requestId,
      model: "demo",
      provider: "demo",
      estimate: usage(step.tokens, "estimated"),
      request: null
    })
    const afterFrame = attempt.frames.length
    let said = ""
    for (let i = 0; i < step.deltas; i++) {
      attempt.deltas.push({ blockId, offset: said.length, text: "word ", afterFrame })
      said += "word "
      touch(attempt)
      yield* Effect.sleep(Math.floor(step.ms / (step.deltas + 1)))
    }
    yield* Effect.sleep(Math.floor(step.ms / (step.deltas + 1)))
    emit(attempt, { _tag: "MessageBlock", blockId, requestId, content: text(said || "…"), partial: false })
    emit(attempt, {
      _tag: "ModelRequestEnded",
      requestId,
      outcome: "succeeded",
      usage: usage(step.tokens, "measured"),
      durationMs: step.ms,
      response: null
    })
  })

  const tool = Effect.fnUntraced(function* (attempt: Attempt, step: Extract<Step, { readonly _tag: "Tool" }>) {
    const callId = mintId(random, "Event") as EventId
    const { kind } = step
    const outside = kind === "client" || kind === "worker"
    const readOnly = kind === "read"
    emit(attempt, {
      _tag: "ToolRequested",
      callId,
      requestId: null,
      providerCallId: `call_${attempt.frames.length}`,
      name: kind === "ask" ? random.pick(["bash", "write"]) : kind,
      server: null,
      executor: outside ? kind : kind === "question" ? "platform" : "sandbox",
      input: { command: "true" },
      inputDigest: zeros,
      readOnly,
      idempotent: kind === "idempotent",
      verdict: {
        permission: kind === "ask" ? "ask" : kind === "deny" ? "deny" : "allow",
        rule: "script",
        reason: null
      },
      awaits: kind === "ask" ? "confirmation" : outside ? "result" : kind === "question" ? "answer" : "nothing",
      question: kind === "question" ? { text: "which?" } : null,
      expiresAt: step.expiresInMs === null ? null : clock.currentTimeMillisUnsafe() + step.expiresInMs
    })
    if (kind === "deny") {
      const content = text("not allowed")
      const outcome = "denied"
      emit(attempt, { _tag: "ToolFinished", callId, outcome, content, isError: true, durationMs: null, details: null })
    } else if (kind === "effect" || readOnly || kind === "idempotent") {
      yield* perform(attempt, { callId, readOnly }, step.ms, step.fails)
    } else return true
    return false
  })

  /** Approved calls of an earlier attempt run first. */
  const carriedOver = (calls: ReadonlyArray<Call>) =>
    calls.filter(
      (call) =>
        call.status === "approved" &&
        call.awaits === "nothing" &&
        call.executor !== "client" &&
        call.executor !== "worker"
    )

  const play = Effect.fnUntraced(function* (attempt: Attempt, script: Script) {
    for (const call of carriedOver(attempt.request.calls)) yield* perform(attempt, call, 20, false)
    let asked = false
    for (const step of script.steps) {
      if (attempt.stop !== null && !asked) return finish(attempt, { _tag: "Suspended", reason: attempt.stop })
      switch (step._tag) {
        case "Think":
          if (asked) return finish(attempt, { _tag: "Suspended", reason: "requires_action" })
          yield* think(attempt, step)
          break
        case "Tool":
          if (yield* tool(attempt, step)) asked = true
          break
        case "Checkpoint":
          emit(attempt, { _tag: "WorkingCopyCaptured", checkpoint: `cp${attempt.frames.length}`, bytes: 1, files: 1 })
          break
        case "Trouble": {
          const error = { code: "overloaded", message: "try again" }
          emit(attempt, { _tag: "Troubled", error, retryStatus: "retrying" })
          break
        }
        case "Sandbox": {
          const sandboxId = mintId(random, "Sandbox") as SandboxId
          emit(attempt, { _tag: "SandboxCreated", sandboxId, runnerId, backend: "none", isolation: "none" })
          break
        }
        case "Title":
          emit(attempt, { _tag: "TitleSuggested", title: "A title" })
          break
        case "Note":
          emit(attempt, { _tag: "Noted", event: { _tag: "SkillLoaded", name: "skill", version: "1" } })
          break
      }
      yield* Effect.sleep(5)
    }
    if (asked) return finish(attempt, { _tag: "Suspended", reason: "requires_action" })
    const { end } = script
    if (end._tag === "Complete") return finish(attempt, { _tag: "Completed", stop: end.stop, details: null })
    if (end._tag === "Misbehave") {
      return finish(attempt, { _tag: "ToolStarted", callId: mintId(random, "Event") as EventId, at: 0 })
    }
    if (end._tag === "Fail") {
      const error = { code: "model_error", message: "it failed" }
      return finish(attempt, { _tag: "Failed", error, retryable: end.retryable, retryAfterMs: end.retryAfterMs })
    }
    attempt.gone = true
    touch(attempt)
  })

  /** Interrupted by whoever owns it: what runs is cut off where it is. */
  const cut = (attempt: Attempt) =>
    Effect.gen(function* () {
      if (attempt.done || attempt.gone) return
      if (attempt.fiber !== null) yield* Fiber.interrupt(attempt.fiber)
      if (!attempt.done) finish(attempt, { _tag: "Interrupted" })
    })

  const fence = ({ epoch, sessionId }: AttemptRef): EpochRefused | undefined => {
    const seen = epochs.get(sessionId) ?? 0
    if (epoch < seen) return new EpochRefused({ sessionId, epoch, seen })
    epochs.set(sessionId, epoch)
    return undefined
  }

  const outputs = (ref: AttemptRef, attempt: Attempt, after: number) => {
    let sentDeltas = attempt.deltas.length
    const next = (
      sent: number
    ): Effect.Effect<readonly [Output, number] | undefined, RunnerAway | EpochRefused | AttemptGone> =>
      Effect.gen(function* () {
        while (true) {
          if (away) return yield* new RunnerAway({ runnerId })
          const refused = fence(ref)
          if (refused !== undefined) return yield* refused
          if (attempt.gone) return yield* new AttemptGone({ attemptId: ref.attemptId, reason: "the disk is gone" })
          const delta = attempt.deltas[sentDeltas]
          if (delta !== undefined) {
            sentDeltas++
            return [{ _tag: "Delta", ...delta } satisfies Output, sent] as const
          }
          const frames = attempt.frames.slice(sent, sent + 1 + random.int(4))
          if (frames.length > 0) return [{ _tag: "Frames", frames } satisfies Output, sent + frames.length] as const
          if (attempt.done && attempt.acknowledged >= attempt.frames.length) return undefined
          const { changed } = attempt
          const broken = link
          yield* Effect.raceFirst(changed.await, broken.await)
        }
      })
    return Stream.unfold(after, next)
  }

  const driver = AttemptDriver.of({
    place: () =>
      Effect.sync(() =>
        away || placement !== null
          ? { _tag: "Waiting", reason: placement ?? "the runner is away" }
          : {
              _tag: "Placed",
              runnerId,
              digests: { policy: zeros, catalog: zeros, agent: zeros, harness: "scripted", model: "demo" }
            }
      ),
    run: (request) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const { attemptId, epoch, sessionId } = request
          if (away) return yield* new RunnerAway({ runnerId })
          const refused = fence(request)
          if (refused !== undefined) return yield* refused
          notes.push({ sessionId, attemptId, epoch, note: { _tag: "RunCalled" } })
          const known = attempts.get(attemptId)
          if (known !== undefined) return outputs(request, known, 0)
          const attempt: Attempt = {
            request,
            frames: [],
            deltas: [],
            acknowledged: 0,
            done: false,
            gone: false,
            interrupted: false,
            stop: null,
            steers: new Map(),
            taken: new Set(),
            changed: Latch.makeUnsafe(false),
            fiber: null
          }
          attempts.set(attemptId, attempt)
          attempt.fiber = yield* Effect.forkIn(play(attempt, options.script(request)), scope)
          return outputs(request, attempt, 0)
        })
      ),
    attach: (ref, afterFrame) =>
      Stream.unwrap(
        Effect.gen(function* () {
          if (away) return yield* new RunnerAway({ runnerId })
          const refused = fence(ref)
          if (refused !== undefined) return yield* refused
          const attempt = attempts.get(ref.attemptId)
          if (attempt === undefined) return yield* new AttemptUnknown({ attemptId: ref.attemptId })
          attempt.acknowledged = Math.max(attempt.acknowledged, afterFrame)
          touch(attempt)
          return outputs(ref, attempt, afterFrame)
        })
      ),
    acknowledge: (ref, frame) =>
      Effect.sync(() => {
        const attempt = attempts.get(ref.attemptId)
        if (away || attempt === undefined || fence(ref) !== undefined) return
        attempt.acknowledged = Math.max(attempt.acknowledged, frame)
        touch(attempt)
      }),
    deliver: (ref, delivery: Delivery) =>
      Effect.gen(function* () {
        if (away) return yield* new RunnerAway({ runnerId })
        const refused = fence(ref)
        if (refused !== undefined) return yield* refused
        const attempt = attempts.get(ref.attemptId)
        if (attempt === undefined) return yield* new AttemptUnknown({ attemptId: ref.attemptId })
        if (delivery._tag === "Stop") attempt.stop = delivery.reason
        else if (delivery._tag === "Interrupt") {
          if (!options.script(attempt.request).deaf) yield* cut(attempt)
        } else if (!attempt.taken.has(delivery.message.inputId)) {
          attempt.steers.set(delivery.message.inputId, delivery.message)
        }
        touch(attempt)
      }),
    revoke: (ref) =>
      Effect.gen(function* () {
        const attempt = attempts.get(ref.attemptId)
        if (away || attempt === undefined) return
        if (attempt.fiber !== null) yield* Fiber.interrupt(attempt.fiber)
        attempt.gone = true
        attempt.done = true
        touch(attempt)
      })
  })

  return {
    driver,
    notes,
    setAway: (next) => {
      away = next
      const broken = link
      link = Latch.makeUnsafe(false)
      broken.openUnsafe()
    },
    setPlacement: (reason) => {
      placement = reason
    },
    busy: () => [...attempts.values()].filter((attempt) => !attempt.done && !attempt.gone).length
  }
})
