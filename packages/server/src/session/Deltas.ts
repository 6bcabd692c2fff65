import type { Output } from "@troupe/domain/runner/Attempt"

export type Delta = Extract<Output, { readonly _tag: "Delta" }>

const heldCharsMax = 65_536

export interface Deltas {
  /** Shows it if its frame is committed, holds it if there is room, and drops it otherwise: deltas may be lost. */
  readonly take: (delta: Delta, committed: number) => void
  /** Shows those that waited for frames up to this one. */
  readonly release: (committed: number) => void
}

/**
 * Text on its way past the log. It is shown once the frame that it follows is committed, and no more when a later one
 * is: that may have been the whole block.
 */
export const make = (show: (delta: Delta) => void): Deltas => {
  let waiting: Array<Delta> = []
  let chars = 0

  const release: Deltas["release"] = (committed) => {
    if (waiting.length === 0) return
    const ready = waiting.filter((delta) => delta.afterFrame === committed)
    waiting = waiting.filter((delta) => delta.afterFrame > committed)
    chars = waiting.reduce((sum, delta) => sum + delta.text.length, 0)
    for (const delta of ready) show(delta)
  }

  const take: Deltas["take"] = (delta, committed) => {
    if (delta.afterFrame === committed) show(delta)
    if (delta.afterFrame <= committed || chars + delta.text.length > heldCharsMax) return
    waiting.push(delta)
    chars += delta.text.length
  }

  return { take, release }
}
