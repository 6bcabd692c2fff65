/** Whole turns in process: a message, an instant runner that asks a model and calls a tool, and the end in the log. */
// As the server does: schemas that are made later are compiled.
import "effect/schema/SchemaJITCompiler/enable"
import type { AttemptId, SessionId } from "@troupe/domain/Ids"
import type { Output } from "@troupe/domain/runner/Attempt"
import { text } from "@troupe/domain/session/Content"
import type { Frame, FrameBody } from "@troupe/domain/session/Frame"
import { Command } from "@troupe/domain/session/SessionCommand"
import { Minting } from "@troupe/server/log/Minting"
import { AttemptDriver } from "@troupe/server/session/AttemptDriver"
import { Feeds } from "@troupe/server/session/Feeds"
import { LiveSessions } from "@troupe/server/session/LiveSessions"
import { RedactionApplier } from "@troupe/server/session/RedactionApplier"
import * as SessionEntity from "@troupe/server/session/SessionEntity"
import { Sessions } from "@troupe/server/session/Sessions"
import { Effect, Layer, ManagedRuntime, Schema, Stream } from "effect"
import { closedLoop } from "../../harness/closedLoop.ts"
import { payloadOf } from "../../harness/payload.ts"
import { serve } from "../../harness/serve.ts"
import { usage as measured } from "../../harness/usage.ts"
import { envelope, mint, openOf } from "../core/commands.ts"
import { layerCluster, layerStore, sha256 } from "../core/services.ts"

const zeros = "0".repeat(64)
const runnerId = mint("Runner")
const usage = { ...measured, source: "measured", costMicroUsd: 0 } as const

const request = (requestId: string): ReadonlyArray<object> => [
  { _tag: "ModelRequestStarted", requestId, model: "instant", provider: "bench", estimate: usage, request: null },
  { _tag: "ModelRequestEnded", requestId, outcome: "succeeded", usage, durationMs: 0, response: null }
]

const framesOfTurn = 9

/** Until the tool may begin, and after it. */
const script = () => {
  const [first, second, callId] = [mint("ModelRequest"), mint("ModelRequest"), mint("Event")]
  const called = {
    _tag: "ToolRequested",
    callId,
    requestId: first,
    providerCallId: "call_1",
    name: "bash",
    server: null,
    executor: "sandbox",
    input: { command: "true" },
    inputDigest: zeros,
    readOnly: false,
    idempotent: false,
    verdict: { permission: "allow", rule: "bench", reason: null },
    awaits: "nothing",
    question: null,
    expiresAt: null
  }
  const content = text(payloadOf("said"))
  const before = [...request(first), called, { _tag: "ToolStarted", callId, at: Date.now() }]
  const after = [
    { _tag: "ToolFinished", callId, outcome: "succeeded", content, isError: false, durationMs: 0, details: null },
    ...request(second),
    { _tag: "MessageBlock", blockId: mint("Event"), requestId: second, content, partial: false },
    { _tag: "Completed", stop: "end_turn", details: null }
  ]
  let n = 0
  const framed = (bodies: ReadonlyArray<object>) => ({
    _tag: "Frames" as const,
    frames: bodies.map((body): Frame => ({ n: ++n, at: Date.now(), body: body as FrameBody }))
  })
  return { before: framed(before), gate: before.length, after: framed(after) }
}

/** How far the log has come with each attempt, and who waits for that. */
const known = new Map<AttemptId, { frame: number; waiter: { frame: number; resolve: () => void } | null }>()
const of = (attemptId: AttemptId) => {
  const one = known.get(attemptId) ?? { frame: 0, waiter: null }
  known.set(attemptId, one)
  return one
}
const committed = (attemptId: AttemptId, frame: number) =>
  Effect.callback<void>((resume) => {
    const one = of(attemptId)
    if (one.frame >= frame) resume(Effect.void)
    else one.waiter = { frame, resolve: () => resume(Effect.void) }
  })
const ended = new Map<SessionId, () => void>()

const scripts = new Map<AttemptId, ReturnType<typeof script>>()

/** An attempt's frames after this one: all of them, or what an owner lacks that took the session over in the middle. */
const play = (attemptId: AttemptId, afterFrame: number) => {
  const written = scripts.get(attemptId) ?? script()
  scripts.set(attemptId, written)
  const { after, before, gate } = written
  const rest = ({ frames }: typeof before): Output => ({
    _tag: "Frames",
    frames: frames.filter(({ n }) => n > afterFrame)
  })
  const gated = Stream.fromEffect(Effect.as(committed(attemptId, gate), rest(after)))
  return afterFrame >= gate ? gated : Stream.concat(Stream.succeed(rest(before)), gated)
}

const placed = {
  _tag: "Placed",
  runnerId,
  digests: { policy: zeros, catalog: zeros, agent: zeros, harness: "bench", model: "instant" }
} as never

const layerInstantRunner = Layer.succeed(
  AttemptDriver,
  AttemptDriver.of({
    place: () => Effect.succeed(placed),
    // As a node does that holds the link of the session's runner.
    placeAtOnce: () => placed,
    run: ({ attemptId }) => play(attemptId, 0),
    attach: ({ attemptId }, afterFrame) => play(attemptId, afterFrame),
    acknowledge: ({ attemptId, sessionId }, { frame }) =>
      Effect.sync(() => {
        const one = of(attemptId)
        one.frame = Math.max(one.frame, frame)
        if (one.waiter !== null && one.frame >= one.waiter.frame) one.waiter.resolve()
        if (one.frame < framesOfTurn) return
        known.delete(attemptId)
        scripts.delete(attemptId)
        ended.get(sessionId)?.()
      }),
    deliver: () => Effect.void,
    revoke: () => Effect.void,
    takeAway: () => Effect.void
  })
)

const layerSession = Layer.mergeAll(
  Minting.layer,
  Feeds.layer,
  LiveSessions.layer,
  layerInstantRunner,
  Layer.succeed(RedactionApplier, { apply: () => Effect.void })
)
const runtime = ManagedRuntime.make(
  Sessions.layer().pipe(
    Layer.provideMerge(SessionEntity.layer({ sha256, idleMs: 60_000, lostAfterMs: 75_000 })),
    Layer.provideMerge(layerCluster),
    Layer.provideMerge(Layer.merge(layerSession, layerStore))
  )
)
const node = await runtime.runPromise(
  Effect.gen(function* () {
    return yield* Sessions
  })
)
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Command))
const send = (sessionId: SessionId, value: object) =>
  runtime.runPromise(node.handle(sessionId, decode(JSON.stringify(value))))

const sessions = new Map<number, Promise<SessionId>>()
const sessionOf = (slot: number): Promise<SessionId> => {
  const known = sessions.get(slot)
  if (known !== undefined) return known
  const sessionId = mint("Session") as SessionId
  const opened = send(sessionId, openOf(sessionId)).then(() => sessionId)
  sessions.set(slot, opened)
  return opened
}

const turn = async (slot: number): Promise<void> => {
  const sessionId = await sessionOf(slot)
  const done = new Promise<void>((resolve) => ended.set(sessionId, resolve))
  const message = {
    _tag: "Message",
    inputId: mint("Event"),
    turnId: mint("Turn"),
    threadId: null,
    content: [{ type: "text", text: payloadOf("asked") }],
    mode: "queue",
    overrides: {},
    needsApproval: false
  }
  await send(sessionId, envelope({ _tag: "Send", inputs: [message] }))
  await done
}

serve(
  {
    turns: ({ inFlight, ms }: { readonly inFlight: number; readonly ms: number }) =>
      closedLoop(inFlight, ms, (slot) => turn(slot))
  },
  () => runtime.dispose()
)
