import type { FrameBody } from "../../src/session/Frame.ts"
import type { Call } from "../../src/session/SessionState.ts"
import {
  asked,
  block,
  blockId,
  completed,
  failed,
  finished,
  forClient,
  question,
  refused,
  requested,
  requestEnded,
  requestId,
  requestStarted,
  sandboxId,
  started,
  subagentEnded,
  subagentId,
  subagentStarted,
  suspended
} from "./make.ts"
import type { Prng } from "../../../../test/support/Prng.ts"

/** What a pretended runner does in one attempt: frames with the time before each. */
export interface Script {
  readonly steps: ReadonlyArray<{ readonly waitMs: number; readonly body: FrameBody }>
  /** Whether it stops when it is told to; one that does not is given up at the deadline. */
  readonly interrupt: "honoured" | "ignored"
  /** Whether it suspends when the session is paused or a budget is reached. */
  readonly hold: "honoured" | "ignored"
}

/** Wide enough never to meet again: what is over is forgotten, so nothing could tell. */
const fresh = (random: Prng) => 100 + random.int(2 ** 31)
const sandbox = { sandboxId: sandboxId(), runnerId: "r", backend: "bubblewrap" }

const aside = (random: Prng, id: number): FrameBody => {
  switch (random.int(11)) {
    case 0:
      return { _tag: "SandboxCreated", ...sandbox, isolation: "process" }
    case 1:
      return { _tag: "SandboxLost", sandboxId: sandboxId(), reason: "gone" }
    case 2:
      return { _tag: "SandboxRestored", ...sandbox, checkpoint: "c" }
    case 3:
      return { _tag: "SandboxDestroyed", sandboxId: sandboxId(), reason: "done" }
    case 4:
      return { _tag: "TitleSuggested", title: `title ${random.int(3)}` }
    case 5:
      return { _tag: "Noted", event: { _tag: "SkillLoaded", name: "pdf", version: "1" } }
    case 6:
      return { _tag: "WorkingCopyCaptured", checkpoint: `c${random.int(9)}`, bytes: 1, files: 1 }
    case 7:
      return { _tag: "WorkingCopyRewound", toSeq: 1, callIds: [] }
    case 8:
      return { _tag: "ContextCompacted", summary: [], uptoSeq: 1, tokensBefore: 9, tokensAfter: 3 }
    case 9:
      return {
        _tag: "Troubled",
        error: { code: "mcp_connection_failed_error", message: "no" },
        retryStatus: "retrying"
      }
    default:
      return {
        _tag: "ThinkingBlock",
        blockId: blockId(id),
        requestId: requestId(id),
        text: null,
        opaque: null,
        partial: false
      }
  }
}

/** A sub-agent that asks a model, and that may not come to say how it ended. */
const helped = (random: Prng): ReadonlyArray<FrameBody> => {
  const id = fresh(random)
  const request = [{ ...requestStarted(id), subagentId: subagentId(id) }, requestEnded(id, { outputTokens: 1 })]
  return [
    subagentStarted(id),
    ...(random.chance(0.5) ? request : []),
    ...(random.chance(0.7) ? [subagentEnded(id)] : [])
  ]
}

const outcomes = ["succeeded", "succeeded", "succeeded", "failed", "timed_out", "interrupted", "unknown"] as const

/** A call of the model's, as far as the attempt takes it; `open` if somebody outside has to say something. */
const call = (random: Prng): { readonly bodies: ReadonlyArray<FrameBody>; readonly open: boolean } => {
  const id = fresh(random)
  const expiresAt = random.chance(0.2) ? 1_000_000 + random.int(200_000) : null
  const name = random.pick(["bash", "write", "read"])
  switch (random.weighted({ allowed: 6, asked: 2, client: 1, worker: 1, question: 1, denied: 1 })) {
    case "allowed": {
      const first = requested(id, { name, readOnly: random.chance(0.3), idempotent: random.chance(0.2) })
      if (random.chance(0.15)) return { bodies: [first], open: false }
      if (random.chance(0.15)) return { bodies: [first, started(id)], open: false }
      return { bodies: [first, started(id), finished(id, random.pick(outcomes))], open: false }
    }
    case "asked":
      return { bodies: [asked(id, { name, expiresAt })], open: true }
    case "client":
      return { bodies: [forClient(id, { expiresAt })], open: true }
    case "worker":
      return { bodies: [asked(id, { executor: "worker", name })], open: true }
    case "question":
      return { bodies: [question(id, { expiresAt })], open: true }
    case "denied":
      return { bodies: [refused(id), ...(random.chance(0.8) ? [finished(id, "denied")] : [])], open: false }
  }
}

/** Calls that were allowed while no attempt ran are made first. */
const allowed = (random: Prng, open: ReadonlyArray<Call>): ReadonlyArray<FrameBody> =>
  open.flatMap(({ awaits, callId, status }): ReadonlyArray<FrameBody> => {
    if (status !== "approved" || awaits !== "nothing") return []
    const done = { ...finished(0, random.pick(outcomes)), callId }
    return random.chance(0.1) ? [] : [{ ...started(0), callId }, ...(random.chance(0.1) ? [] : [done])]
  })

const ending = (random: Prng, open: boolean): ReadonlyArray<FrameBody> => {
  if (open && random.chance(0.9)) return [suspended()]
  switch (
    random.weighted({ completed: 12, refusal: 1, steps: 1, retryable: 2, terminal: 1, silence: 1, suspended: 1 })
  ) {
    case "completed":
      return [completed()]
    case "refusal":
      return [completed("refusal")]
    case "steps":
      return [completed("max_steps")]
    case "retryable":
      return [failed(true, random.chance(0.5) ? random.int(5_000) : null)]
    case "terminal":
      return [failed(false)]
    case "suspended":
      return [suspended(random.pick(["requires_action", "budget", "paused"]))]
    case "silence":
      return []
  }
}

/** A script for an attempt of a turn that has these calls open. */
export const generateScript = (random: Prng, open: ReadonlyArray<Call> = []): Script => {
  const bodies: Array<FrameBody> = [...allowed(random, open)]
  let waits = false
  for (let round = random.int(3); round >= 0 && !waits; round--) {
    const id = fresh(random)
    bodies.push(requestStarted(id))
    if (random.chance(0.3)) bodies.push(aside(random, id))
    bodies.push(block(id, id))
    const calls = Array.from({ length: random.int(3) }, () => call(random))
    bodies.push(...(random.chance(0.9) ? [requestEnded(id, { outputTokens: random.int(50) })] : []))
    for (const one of calls) bodies.push(...one.bodies)
    if (random.chance(0.1)) bodies.push(...helped(random))
    waits = calls.some((one) => one.open)
  }
  bodies.push(...ending(random, waits))
  return {
    steps: bodies.map((body) => ({ waitMs: random.int(200), body })),
    interrupt: random.chance(0.7) ? "honoured" : "ignored",
    hold: random.chance(0.7) ? "honoured" : "ignored"
  }
}

/** A script that ends its turn without more ado: what is played when a simulation comes to rest. */
export const shortScript = (random: Prng, open: ReadonlyArray<Call>): Script => ({
  steps: [...allowed(random, open), completed()].map((body) => ({ waitMs: 1, body })),
  interrupt: "honoured",
  hold: "ignored"
})
