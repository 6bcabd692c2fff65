import type { LogEvent } from "@troupe/client"
import type { Json } from "@troupe/domain/Json"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { initial as nothingShown, type Timeline } from "@troupe/domain/session/Timeline"
import { diff, toJson } from "@troupe/domain/replay/Fold"
import { Result } from "effect"
import { placeOn } from "../session/place.logic.ts"

const every = 200

/**
 * What a log folds to, at any place of it. It is kept here and there, so that a step costs little wherever one is in a long log; and it
 * goes on where the log grows, of which what was folded never changes.
 */
export class FoldedAt<State> {
  readonly #kept: Array<State>
  readonly #next: (state: State, event: LogEvent) => State

  constructor(initial: State, next: (state: State, event: LogEvent) => State) {
    this.#kept = [initial]
    this.#next = next
  }

  at(log: ReadonlyArray<LogEvent>, seq: number): State {
    const end = Math.min(Math.max(seq, 0), log.length)
    const block = Math.min(Math.floor(end / every), this.#kept.length - 1)
    let state = this.#kept[block] as State
    for (let i = block * every; i < end; i++) {
      state = this.#next(state, log[i]!)
      if ((i + 1) % every === 0 && this.#kept.length === (i + 1) / every) this.#kept.push(state)
    }
    return state
  }

  /** Up to where a step costs little by now. */
  get known(): number {
    return this.#kept.length * every
  }
}

const evolved = (state: SessionState, { payload, seq, type, version }: LogEvent): SessionState => {
  const stored = { streamId: "", seq, type, version, payload: payload === null ? null : JSON.stringify(payload) }
  const event = Codec.decodeFast(stored)
  return Result.isSuccess(event) ? evolve(state, event.success) : state
}

/** A session as it was: its state, and what was shown of it. */
export interface Past {
  readonly states: FoldedAt<SessionState>
  readonly timelines: FoldedAt<Timeline>
}

export const newPast = (): Past => ({
  states: new FoldedAt(initial, evolved),
  timelines: new FoldedAt(nothingShown, placeOn)
})

/** Folds a part of what is not known yet, and says how far it is. Long logs are folded part by part, so that the page goes on answering. */
export const foldOn = ({ states, timelines }: Past, log: ReadonlyArray<LogEvent>): number => {
  const known = Math.min(states.known, timelines.known)
  if (known < log.length) {
    states.at(log, known)
    timelines.at(log, known)
  }
  return Math.min(states.known, timelines.known, log.length)
}

export interface Moment {
  readonly state: Json
  /** JSON Pointers of what this event set or changed. */
  readonly changed: ReadonlySet<string>
  readonly changes: ReadonlyArray<{ readonly op: string; readonly path: string }>
}

/** The state after an event, and what that event changed in it. */
export const momentAt = ({ states }: Past, log: ReadonlyArray<LogEvent>, seq: number): Moment => {
  const after = states.at(log, seq)
  const patch = seq === 0 ? [] : diff(states.at(log, seq - 1), after)
  const changed = patch.filter(({ op }) => op !== "remove").map(({ path }) => path)
  return { state: toJson(after), changed: new Set(changed), changes: patch.map(({ op, path }) => ({ op, path })) }
}

/** What one jumps to: errors, approvals, and where turns begin. */
const isOf = {
  turn: ({ type }: LogEvent) => type === "TurnStarted",
  approval: ({ payload, type }: LogEvent) => type === "ToolRequested" && payload?.["awaits"] !== "nothing",
  error: ({ payload, type }: LogEvent) =>
    type === "TurnFailed" ||
    type === "AttemptTroubled" ||
    type === "AttemptLost" ||
    (type === "ToolFinished" && payload?.["isError"] === true)
} as const
export type Jump = keyof typeof isOf
export const jumps = Object.keys(isOf) as ReadonlyArray<Jump>

/** Where in a log there is something to jump to, in its order. */
export type Places = Readonly<Record<Jump, ReadonlyArray<number>>>

export const placesOf = (log: ReadonlyArray<LogEvent>): Places => {
  const places: Record<Jump, Array<number>> = { turn: [], approval: [], error: [] }
  for (const event of log) for (const kind of jumps) if (isOf[kind](event)) places[kind].push(event.seq)
  return places
}

export const jump = (places: Places, from: number, by: 1 | -1, to: Jump): number | null =>
  (by === 1 ? places[to].find((seq) => seq > from) : places[to].findLast((seq) => seq < from)) ?? null

/** As fine as marks are told apart. */
const markParts = 1_000

/** Marks along a log of some length, as shares of it: those that would lie on one another are one. */
export const marksOf = (
  places: Places,
  length: number
): ReadonlyArray<{ readonly kind: Jump; readonly part: number }> =>
  jumps.flatMap((kind) =>
    [...new Set(places[kind].map((seq) => Math.floor(((seq - 0.5) / length) * markParts)))].map((at) => ({
      kind,
      part: (at + 0.5) / markParts
    }))
  )
