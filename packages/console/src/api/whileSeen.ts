import { isLasting } from "./lasting.logic.ts"

/** What is no matter of the connection may be another one a moment later: a proxy that answers while a server starts. */
const pauseMs = 2_000

const seen = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return
      document.removeEventListener("visibilitychange", look)
      resolve()
    }
    document.addEventListener("visibilitychange", look)
    signal.addEventListener("abort", look)
    look()
  })

const pause = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, pauseMs)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })

interface Following {
  /** Until its signal stops it, with streams that are taken up again by themselves. */
  readonly follow: (signal: AbortSignal) => Promise<void>
  /** Told when it is stopped since nobody looks (null), and of what a stream gave up on. */
  readonly left?: (problem: unknown) => void
}

const once = async ({ follow, left }: Following, signal: AbortSignal): Promise<"over" | "again"> => {
  const hidden = new AbortController()
  const look = () => {
    if (document.hidden) hidden.abort()
  }
  document.addEventListener("visibilitychange", look)
  try {
    await follow(AbortSignal.any([signal, hidden.signal]))
    return "over"
  } catch (error) {
    if (signal.aborted) return "over"
    left?.(hidden.signal.aborted ? null : error)
    if (hidden.signal.aborted) return "again"
    if (isLasting(error)) return "over"
    await pause(signal)
    return "again"
  } finally {
    document.removeEventListener("visibilitychange", look)
  }
}

/** A tab that nobody looks at follows nothing: browsers have six connections to a server, for all tabs together. */
export const followWhileSeen = async (following: Following, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await seen(signal)
    if (signal.aborted || (await once(following, signal)) === "over") return
  }
}
