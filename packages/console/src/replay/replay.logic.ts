import type { LogEvent } from "@troupe/client"
import type { Json } from "@troupe/domain/Json"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { diff, toJson } from "@troupe/domain/replay/Fold"
import { Result } from "effect"

const every = 200

/** A session at any place of its log. What was folded once is kept here and there, so that dragging is quick. */
export class StateAt {
  readonly #log: ReadonlyArray<LogEvent>
  readonly #kept: Array<SessionState> = [initial]

  constructor(log: ReadonlyArray<LogEvent>) {
    this.#log = log
  }

  at(seq: number): SessionState {
    const end = Math.min(Math.max(seq, 0), this.#log.length)
    const block = Math.min(Math.floor(end / every), this.#kept.length - 1)
    let state = this.#kept[block]!
    for (let i = block * every; i < end; i++) {
      state = this.#next(state, this.#log[i]!)
      if ((i + 1) % every === 0 && this.#kept.length === (i + 1) / every) this.#kept.push(state)
    }
    return state
  }

  #next(state: SessionState, { payload, seq, type, version }: LogEvent): SessionState {
    const stored = { streamId: "", seq, type, version, payload: payload === null ? null : JSON.stringify(payload) }
    const event = Codec.decodeFast(stored)
    return Result.isSuccess(event) ? evolve(state, event.success) : state
  }
}

export interface Moment {
  readonly state: Json
  /** JSON Pointers of what this event set or changed. */
  readonly changed: ReadonlySet<string>
  readonly changes: ReadonlyArray<{ readonly op: string; readonly path: string }>
}

/** The state after an event, and what that event changed in it. */
export const momentAt = (states: StateAt, seq: number): Moment => {
  const after = states.at(seq)
  const patch = seq === 0 ? [] : diff(states.at(seq - 1), after)
  const changed = patch.filter(({ op }) => op !== "remove").map(({ path }) => path)
  return { state: toJson(after), changed: new Set(changed), changes: patch.map(({ op, path }) => ({ op, path })) }
}

/** What one jumps to: errors, approvals, and where turns begin. */
export const jumps = {
  turn: ({ type }: LogEvent) => type === "TurnStarted",
  approval: ({ payload, type }: LogEvent) => type === "ToolRequested" && payload?.["awaits"] !== "nothing",
  error: ({ payload, type }: LogEvent) =>
    /^(TurnFailed|AttemptTroubled|AttemptLost)$/.test(type) ||
    (type === "ToolFinished" && payload?.["isError"] === true)
} as const
export type Jump = keyof typeof jumps

export const jump = (log: ReadonlyArray<LogEvent>, from: number, by: 1 | -1, to: Jump): number | null => {
  for (let seq = from + by; seq >= 1 && seq <= log.length; seq += by) if (jumps[to](log[seq - 1]!)) return seq
  return null
}
