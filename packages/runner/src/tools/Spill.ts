import type { Effect, Scope } from "effect"

/** A file that takes what is too long for an answer. It is there to be read, inside, once it is closed. */
export interface Spill {
  /** What tools and processes of the session call it. */
  readonly path: string
  /** Answers false once the file has as much as it may have; the rest is lost. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<boolean>
}

/** Opens a new file of this name's kind; it is closed with the scope, and kept. */
export type OpenSpill = (name: string) => Effect.Effect<Spill, never, Scope.Scope>
