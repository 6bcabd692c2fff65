import { Effect } from "effect"
import type { Duplex } from "node:stream"
import type { Socket } from "node:net"

export type SpliceEnd = "closed" | "broken" | "idle"

export interface SpliceLimits {
  /** Without a byte in either direction. */
  readonly idleMs: number
  /** The same, once one side has said all it wants. */
  readonly halfOpenMs: number
}

type End = Socket & Duplex

/**
 * Passes bytes both ways until both sides have ended. A side that ends is heard out by the other; one that breaks takes
 * the other along. What can't be written makes the reading wait.
 */
export const splice = (a: End, b: End, limits: SpliceLimits): Effect.Effect<SpliceEnd> =>
  Effect.callback<SpliceEnd>((resume) => {
    const both = [a, b] as const
    let open = both.filter((end) => !end.destroyed).length
    let how: SpliceEnd = open === 2 ? "closed" : "broken"
    const stop = (why: SpliceEnd) => {
      if (how === "closed") how = why
      for (const end of both) end.destroy()
    }
    const closed = () => {
      open--
      if (open <= 0) resume(Effect.succeed(how))
    }
    for (const end of both) {
      end.setTimeout(limits.idleMs, () => stop("idle"))
      end.on("error", () => stop("broken"))
      end.once("end", () => both.forEach((each) => each.setTimeout(limits.halfOpenMs)))
      end.once("close", () => {
        if (!end.readableEnded || !end.writableFinished) stop("broken")
        closed()
      })
    }
    if (open < 2) {
      stop("broken")
      resume(Effect.succeed<SpliceEnd>("broken"))
      return undefined
    }
    a.pipe(b)
    b.pipe(a)
    return Effect.sync(() => both.forEach((end) => end.destroy()))
  })
