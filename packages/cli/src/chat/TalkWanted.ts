import type { Located } from "../connection/reach.ts"

/** A chat that is to be held in a terminal: where, in which session, and what is said first. */
export interface TalkWanted extends Located {
  readonly key: string
  readonly session: string
  readonly first: string | null
  /** It works on a copy of this directory, to which its changes may be wanted back. */
  readonly isOnCopy: boolean
}
