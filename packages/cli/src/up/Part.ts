import { Effect, Schema } from "effect"
import type { ChildLog } from "./ChildLog.ts"
import { lives, type ProcessName, signal } from "./processes.ts"

/** A process that could not be started, or one that ended. */
export class PartEnded extends Schema.TaggedError<PartEnded>()("PartEnded", {
  part: Schema.String,
  /** "ended with code 1", "was ended by SIGKILL", "did not start". */
  how: Schema.String,
  /** It ended because of what it was told: started again, it would do so again. */
  final: Schema.Boolean
}) {
  override get message() {
    return `${this.part} ${this.how}`
  }
}

export interface Running {
  readonly process: ProcessName
  /** An adopted one was left by a supervisor that died. */
  readonly adopted: boolean
  /** Completes when it has ended, with how. */
  readonly ended: Effect.Effect<PartEnded>
}

/** One of the processes that are kept running. */
export interface Part {
  readonly name: "postgres" | "node" | "runner"
  readonly log: ChildLog
  /** Starts it, or takes over what is still there. */
  readonly start: Effect.Effect<Running, PartEnded>
  readonly stopping: Stopping
}

export interface Stopping {
  /** Asked for one after the other, each for so long. */
  readonly signals: ReadonlyArray<readonly [signal: NodeJS.Signals, withinMs: number]>
  /** Ends it now. */
  readonly hard: NodeJS.Signals
}

const pollMs = 50

/** Waits for the end of a process, whoever started it. */
export const gone = Effect.fnUntraced(function* (process: ProcessName) {
  while (lives(process)) yield* Effect.sleep(pollMs)
})

/** Ends a process in its own way, and by force if it does not obey. */
export const end = Effect.fnUntraced(function* (process: ProcessName, { signals }: Stopping) {
  for (const [sent, withinMs] of signals) {
    signal(process, sent)
    yield* Effect.timeoutOption(gone(process), withinMs)
    if (!lives(process)) return
  }
  signal(process, "SIGKILL", "group")
  yield* Effect.timeoutOption(gone(process), 5_000)
})
