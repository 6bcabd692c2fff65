import { Limits } from "@troupe/domain/Limits"
import type { Prng } from "../../../../test/support/Prng.ts"

export type ToolKind =
  | "effect"
  | "read"
  | "idempotent"
  | "ask"
  | "askClient"
  | "deny"
  | "client"
  | "worker"
  | "question"

/** What an attempt will do, step by step. Drawn from a seed, or written by hand. */
export type Step =
  /** One model request: takes steers, streams deltas, says something. */
  | {
      readonly _tag: "Think"
      readonly ms: number
      readonly deltas: number
      readonly tokens: number
      /** It says that it has begun to think, and thinks, before it speaks. */
      readonly thinks?: boolean
    }
  /** A tool call: allowed with or without side effects, asked for, denied, a client's, or a question. */
  | {
      readonly _tag: "Tool"
      readonly kind: ToolKind
      readonly ms: number
      readonly fails: boolean
      readonly expiresInMs: number | null
    }
  /** A sub-agent asks a model; now and then it never says how it ended. */
  | { readonly _tag: "Subagent"; readonly ms: number; readonly ends: boolean }
  | { readonly _tag: "Checkpoint" }
  | { readonly _tag: "Rewind" }
  | { readonly _tag: "Compact" }
  | { readonly _tag: "Trouble" }
  /** The session's sandbox is made, lost, restored or destroyed, whatever comes next. */
  | { readonly _tag: "Sandbox" }
  | { readonly _tag: "Title"; readonly title: string }
  | { readonly _tag: "Note" }

export type End =
  | { readonly _tag: "Complete"; readonly stop: "end_turn" | "max_steps" | "refusal" }
  | { readonly _tag: "Fail"; readonly retryable: boolean; readonly retryAfterMs: number | null }
  /** It was under way with something, and does not know how that went. */
  | { readonly _tag: "Doubt" }
  /** The runner's disk goes, and the attempt with it. */
  | { readonly _tag: "Vanish" }
  /** It breaks the protocol. */
  | { readonly _tag: "Misbehave" }

export interface Script {
  readonly steps: ReadonlyArray<Step>
  readonly end: End
  /** Ignores interrupts and stops, so that the server has to end it. */
  readonly deaf: boolean
}

const kinds: ReadonlyArray<ToolKind> = [
  "effect",
  "effect",
  "effect",
  "read",
  "idempotent",
  "ask",
  "askClient",
  "deny",
  "client",
  "worker",
  "question"
]

const step = (random: Prng, contactLeaseMs: number): Step => {
  const roll = random.next()
  if (roll < 0.36) {
    return { _tag: "Think", ms: random.int(800), deltas: random.int(4), tokens: 1 + random.int(200) }
  }
  if (roll < 0.8) {
    return {
      _tag: "Tool",
      kind: random.pick(kinds),
      // Some take longer than any lease.
      ms: random.chance(0.04) ? contactLeaseMs + random.int(contactLeaseMs) : random.int(1_500),
      fails: random.chance(0.2),
      expiresInMs: random.chance(0.3) ? 1_000 + random.int(20_000) : null
    }
  }
  if (roll < 0.82) return { _tag: "Subagent", ms: random.int(300), ends: random.chance(0.7) }
  // No list can show the last one.
  if (roll < 0.84) return { _tag: "Title", title: random.chance(0.2) ? `A title${String.fromCharCode(0)}` : "A title" }
  return {
    _tag: random.pick([
      "Checkpoint",
      "Rewind",
      "Compact",
      "Trouble",
      "Sandbox",
      "Sandbox",
      "Sandbox",
      "Sandbox",
      "Note"
    ] as const)
  }
}

const end = (random: Prng): End => {
  const roll = random.next()
  if (roll < 0.66) {
    return { _tag: "Complete", stop: random.pick(["end_turn", "end_turn", "max_steps", "refusal"] as const) }
  }
  if (roll < 0.8) {
    return { _tag: "Fail", retryable: random.chance(0.5), retryAfterMs: random.chance(0.3) ? random.int(3_000) : null }
  }
  return { _tag: random.pick(["Doubt", "Doubt", "Doubt", "Vanish", "Misbehave"] as const) }
}

export const drawScript = (random: Prng, contactLeaseMs: number = Limits.contactLeaseMs): Script => ({
  steps: Array.from({ length: random.int(9) }, () => step(random, contactLeaseMs)),
  end: end(random),
  deaf: random.chance(0.15)
})
