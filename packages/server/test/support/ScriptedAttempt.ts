import type { EventId, ModelRequestId, RunnerId, SandboxId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { Frame, FrameBody } from "@troupe/domain/session/Frame"
import type { Call, Message } from "@troupe/domain/session/SessionState"
import { awaitsOnceAllowed } from "@troupe/domain/session/standing"
import type { Usage } from "@troupe/domain/session/Usage"
import { type Clock, Effect, Latch } from "effect"
import type { RunnerNote } from "../../../../e2e/invariants/Evidence.ts"
import type { AttemptOrder } from "../../src/session/AttemptDriver.ts"
import type { Script, Step, ToolKind } from "./AttemptScript.ts"
import { mintId, type Prng } from "../../../../test/support/Prng.ts"

/** What attempts of one runner share. */
export interface Workshop {
  readonly random: Prng
  readonly clock: Clock.Clock
  readonly runnerId: RunnerId
  readonly note: (note: RunnerNote) => void
  /** Sandboxes by session, and whether they live. */
  readonly sandboxes: Map<string, { readonly sandboxId: SandboxId; readonly live: boolean }>
  /** For proving the judge: calls begin before their start is in the log. */
  readonly unsafeWithoutIntentGate: boolean
  readonly contactLeaseMs: number
}

const zeros = "0".repeat(64)

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

/** An attempt in the hands of a runner: its journal, what it was told, and the script that it plays. */
export class ScriptedAttempt {
  readonly request: AttemptOrder
  readonly frames: Array<Frame> = []
  readonly deltas: Array<{ blockId: EventId; offset: number; text: string; afterFrame: number; kind?: "thinking" }> = []
  readonly steers = new Map<string, Message>()
  acknowledged = 0
  /** It has said its last frame. */
  done = false
  /** It can't come back, and why. */
  gone: string | null = null
  stop: "paused" | "budget" | null = null
  contactAt: number
  /** Opened whenever something changed that somebody may wait for. */
  changed = Latch.makeUnsafe(false)
  private readonly shop: Workshop
  private readonly script: Script
  private readonly taken = new Set<string>()
  private readonly running = new Map<string, { readonly readOnly: boolean }>()
  private thinking: { readonly requestId: ModelRequestId; readonly blockId: EventId; readonly tokens: number } | null =
    null
  private said = ""

  constructor(shop: Workshop, request: AttemptOrder, script: Script) {
    this.shop = shop
    this.request = request
    this.script = script
    this.contactAt = this.now()
  }

  get deaf(): boolean {
    return this.script.deaf
  }

  private now(): number {
    return this.shop.clock.currentTimeMillisUnsafe()
  }

  touch(): void {
    const { changed } = this
    this.changed = Latch.makeUnsafe(false)
    changed.openUnsafe()
  }

  /** A node was heard. */
  contact(): void {
    const waited = !this.leased()
    this.contactAt = this.now()
    if (waited) this.touch()
  }

  acknowledge(frame: number): void {
    this.acknowledged = Math.max(this.acknowledged, frame)
    this.touch()
  }

  steer(message: Message): void {
    if (!this.taken.has(message.inputId)) this.steers.set(message.inputId, message)
  }

  lose(reason: string): void {
    this.gone = reason
    this.touch()
  }

  private leased(): boolean {
    return this.now() - this.contactAt < this.shop.contactLeaseMs
  }

  private emit(body: FrameBody): void {
    this.frames.push({ n: this.frames.length + 1, at: this.now(), body })
    this.touch()
  }

  private finish(body: FrameBody): void {
    this.emit(body)
    this.done = true
    this.touch()
  }

  private until(condition: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(this.changed.await, this.until(condition))))
  }

  private note(note: RunnerNote["note"]): void {
    const { attemptId, epoch, sessionId } = this.request
    this.shop.note({ sessionId, attemptId, epoch, at: this.now(), note })
  }

  private finished(callId: EventId, outcome: "succeeded" | "failed" | "denied" | "interrupted" | "unknown", ms = 0) {
    const content = text(outcome === "succeeded" ? "done" : outcome)
    const isError = outcome !== "succeeded"
    this.emit({ _tag: "ToolFinished", callId, outcome, content, isError, durationMs: ms, details: null })
  }

  /** The intent gate: an effect begins only once its start is in the log. */
  private readonly perform = Effect.fnUntraced(function* (
    this: ScriptedAttempt,
    call: { readonly callId: EventId; readonly readOnly: boolean },
    ms: number,
    fails: boolean
  ) {
    const { callId, readOnly } = call
    yield* this.until(() => this.leased())
    if (this.shop.unsafeWithoutIntentGate) this.note({ _tag: "Effect", callId, readOnly })
    this.emit({ _tag: "ToolStarted", callId, at: this.now() })
    const intent = this.frames.length
    this.running.set(callId, call)
    if (!readOnly) yield* this.until(() => this.acknowledged >= intent && this.leased())
    if (!this.shop.unsafeWithoutIntentGate) this.note({ _tag: "Effect", callId, readOnly })
    yield* Effect.sleep(ms)
    this.running.delete(callId)
    this.finished(callId, fails ? "failed" : "succeeded", ms)
  })

  private readonly think = Effect.fnUntraced(function* (
    this: ScriptedAttempt,
    step: Extract<Step, { readonly _tag: "Think" }>
  ) {
    yield* this.until(() => this.leased())
    for (const [inputId, message] of this.steers) {
      this.steers.delete(inputId)
      this.taken.add(inputId)
      this.emit({ _tag: "SteerTaken", inputId: message.inputId })
    }
    const { random } = this.shop
    const { tokens } = step
    const requestId = mintId(random, "ModelRequest") as ModelRequestId
    const blockId = mintId(random, "Event") as EventId
    const estimate = usage(tokens, "estimated")
    this.emit({ _tag: "ModelRequestStarted", requestId, model: "demo", provider: "demo", estimate, request: null })
    this.note({ _tag: "Request", requestId })
    this.thinking = { requestId, blockId, tokens }
    this.said = ""
    const pause = Effect.sleep(Math.floor(step.ms / (step.deltas + 1)))
    if (step.thinks === true) {
      const thought = mintId(random, "Event") as EventId
      this.deltas.push({ blockId: thought, offset: 0, text: "", afterFrame: this.frames.length, kind: "thinking" })
      this.touch()
      yield* pause
      this.emit({ _tag: "ThinkingBlock", blockId: thought, requestId, text: "hm", opaque: null, partial: false })
    }
    const afterFrame = this.frames.length
    for (let i = 0; i < step.deltas; i++) {
      this.deltas.push({ blockId, offset: this.said.length, text: "word ", afterFrame })
      this.said += "word "
      this.touch()
      yield* pause
    }
    yield* pause
    if (random.chance(0.2)) {
      const thought = mintId(random, "Event") as EventId
      this.emit({ _tag: "ThinkingBlock", blockId: thought, requestId, text: "hm", opaque: null, partial: false })
    }
    this.endRequest("succeeded")
  })

  private endRequest(outcome: "succeeded" | "cancelled" | "unknown"): void {
    if (this.thinking === null) return
    const { blockId, requestId, tokens } = this.thinking
    this.thinking = null
    const partial = outcome !== "succeeded"
    if (!partial || this.said !== "") {
      this.emit({ _tag: "MessageBlock", blockId, requestId, content: text(this.said || "…"), partial })
    }
    const used = usage(tokens, outcome === "unknown" ? "estimated" : "measured")
    this.emit({ _tag: "ModelRequestEnded", requestId, outcome, usage: used, durationMs: 1, response: null })
  }

  /** Whether somebody outside owes something for it. */
  private readonly tool = Effect.fnUntraced(function* (
    this: ScriptedAttempt,
    step: Extract<Step, { readonly _tag: "Tool" }>
  ) {
    const { random } = this.shop
    const callId = mintId(random, "Event") as EventId
    const { kind } = step
    const asks = kind === "ask" || kind === "askClient"
    const executor: Call["executor"] =
      kind === "client" || kind === "askClient" ? "client" : kind === "worker" ? kind : executorOf(kind)
    const awaits = asks ? "confirmation" : kind === "question" ? "answer" : awaitsOnceAllowed(executor)
    const readOnly = kind === "read"
    this.emit({
      _tag: "ToolRequested",
      callId,
      requestId: null,
      providerCallId: `call_${this.frames.length}`,
      name: asks ? random.pick(["bash", "write"]) : kind,
      server: null,
      executor,
      input: { command: "true" },
      inputDigest: zeros,
      readOnly,
      idempotent: kind === "idempotent",
      verdict: { permission: asks ? "ask" : kind === "deny" ? "deny" : "allow", rule: "script", reason: null },
      awaits,
      question: kind === "question" ? { text: "which?" } : null,
      expiresAt: awaits === "nothing" || step.expiresInMs === null ? null : this.now() + step.expiresInMs
    })
    if (awaits !== "nothing") return true
    if (kind === "deny") this.finished(callId, "denied")
    else yield* this.perform({ callId, readOnly }, step.ms, step.fails)
    return false
  })

  private readonly subagent = Effect.fnUntraced(function* (
    this: ScriptedAttempt,
    { ends, ms }: Extract<Step, { readonly _tag: "Subagent" }>
  ) {
    const subagentId = mintId(this.shop.random, "Event") as EventId
    this.emit({ _tag: "SubagentStarted", subagentId, name: "helper", task: "help", callId: null, parentId: null })
    yield* Effect.sleep(ms)
    if (!ends) return
    this.emit({ _tag: "SubagentEnded", subagentId, outcome: "succeeded", summary: "helped", durationMs: ms })
  })

  private sandbox(): FrameBody {
    const { random, runnerId, sandboxes } = this.shop
    const { sessionId } = this.request
    const known = sandboxes.get(sessionId)
    if (known === undefined) {
      const sandboxId = mintId(random, "Sandbox") as SandboxId
      sandboxes.set(sessionId, { sandboxId, live: true })
      return { _tag: "SandboxCreated", sandboxId, runnerId, backend: "none", isolation: "none" }
    }
    const { sandboxId } = known
    if (!known.live) {
      sandboxes.set(sessionId, { sandboxId, live: true })
      return { _tag: "SandboxRestored", sandboxId, runnerId, backend: "none", checkpoint: "cp" }
    }
    if (random.chance(0.5)) {
      sandboxes.set(sessionId, { sandboxId, live: false })
      return { _tag: "SandboxLost", sandboxId, reason: "it broke" }
    }
    sandboxes.delete(sessionId)
    return { _tag: "SandboxDestroyed", sandboxId, reason: "no longer needed" }
  }

  private plain(step: Exclude<Step, { readonly _tag: "Think" | "Tool" | "Subagent" }>): FrameBody {
    switch (step._tag) {
      case "Checkpoint":
        return { _tag: "WorkingCopyCaptured", checkpoint: `cp${this.frames.length}`, bytes: 1, files: 1 }
      case "Rewind":
        return { _tag: "WorkingCopyRewound", toSeq: 1, callIds: [] }
      case "Compact":
        return { _tag: "ContextCompacted", summary: text("so far"), uptoSeq: 1, tokensBefore: 9, tokensAfter: 1 }
      case "Trouble":
        return { _tag: "Troubled", error: { code: "overloaded", message: "try again" }, retryStatus: "retrying" }
      case "Sandbox":
        return this.sandbox()
      case "Title":
        return { _tag: "TitleSuggested", title: step.title }
      case "Note":
        return { _tag: "Noted", event: { _tag: "SkillLoaded", name: "skill", version: "1" } }
    }
  }

  private end(): void {
    const { end } = this.script
    switch (end._tag) {
      case "Complete":
        return this.finish({ _tag: "Completed", stop: end.stop, details: null })
      case "Misbehave":
        return this.finish({ _tag: "ToolStarted", callId: mintId(this.shop.random, "Event") as EventId, at: 0 })
      case "Fail": {
        const error = { code: "model_error", message: "it failed" }
        return this.finish({ _tag: "Failed", error, retryable: end.retryable, retryAfterMs: end.retryAfterMs })
      }
      case "Doubt":
        return this.cut("restarted")
      case "Vanish":
        return this.lose("the disk is gone")
    }
  }

  readonly play = Effect.fnUntraced(function* (this: ScriptedAttempt) {
    // Approved calls of an earlier attempt run first.
    for (const call of this.request.turn.calls) {
      const ours =
        call.status === "approved" && call.awaits === "nothing" && awaitsOnceAllowed(call.executor) === "nothing"
      if (ours) yield* this.perform(call, 20, false)
    }
    let asked = false
    for (const step of this.script.steps) {
      if (this.stop !== null && !asked && !this.deaf) return this.finish({ _tag: "Suspended", reason: this.stop })
      if (step._tag === "Think") {
        if (asked) break
        yield* this.think(step)
      } else if (step._tag === "Tool") {
        if (yield* this.tool(step)) asked = true
      } else if (step._tag === "Subagent") {
        yield* this.subagent(step)
      } else this.emit(this.plain(step))
      yield* Effect.sleep(5)
    }
    if (asked) return this.finish({ _tag: "Suspended", reason: "requires_action" })
    if (this.script.end._tag === "Doubt") {
      yield* Effect.forkChild(this.tool({ _tag: "Tool", kind: "effect", ms: 60_000, fails: false, expiresInMs: null }))
      yield* this.until(() => this.running.size > 0 && this.acknowledged >= this.frames.length)
      yield* Effect.sleep(1)
    }
    this.end()
  })

  /** What was under way is cut off where it is. Sometimes the runner says so itself, sometimes it leaves that to the server. */
  cut(how: "interrupted" | "restarted"): void {
    if (this.done || this.gone !== null) return
    if (how === "restarted" || this.shop.random.chance(0.6)) {
      this.endRequest(how === "restarted" ? "unknown" : "cancelled")
      for (const callId of this.running.keys()) {
        this.finished(callId as EventId, how === "restarted" ? "unknown" : "interrupted")
      }
    }
    const error = { code: "runner_restarted", message: "the runner was started again" }
    if (how === "interrupted") this.finish({ _tag: "Interrupted" })
    else this.finish({ _tag: "Failed", error, retryable: true, retryAfterMs: null })
  }
}

const executorOf = (kind: ToolKind): Call["executor"] => (kind === "question" ? "platform" : "sandbox")
