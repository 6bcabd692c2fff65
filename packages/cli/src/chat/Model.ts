import type { Approval, Question } from "@troupe/client"
import { type Editor, empty } from "../terminal/Editor.ts"

/** A call that waits for a person. */
export type Ask =
  | { readonly _tag: "Approval"; readonly approval: Approval }
  | { readonly _tag: "Question"; readonly question: Question }

export interface Queued {
  readonly id: string
  readonly text: string
}

/** Everything that is drawn below what stays. */
export interface Model {
  readonly editor: Editor
  /** The first one is asked. */
  readonly asks: ReadonlyArray<Ask>
  /** What is typed is why a call is refused. */
  readonly isDenying: boolean
  /** What was said and waits for its turn. */
  readonly queued: ReadonlyArray<Queued>
  /** Calls that run, by the id of each. */
  readonly calls: ReadonlyArray<{ readonly id: string; readonly line: string }>
  /** The line that is being written. */
  readonly partial: string
  readonly workingSince: number | null
  readonly isInterrupting: boolean
  /** Ctrl-C was pressed where nothing goes on: pressed again, it leaves. */
  readonly isLeaving: boolean
  /** What is in the way, such as a connection that broke. */
  readonly notice: string | null
  /** Who works, with what, and what it has cost. */
  readonly standing: string
}

export const initial: Model = {
  editor: empty,
  asks: [],
  isDenying: false,
  queued: [],
  calls: [],
  partial: "",
  workingSince: null,
  isInterrupting: false,
  isLeaving: false,
  notice: null,
  standing: ""
}
