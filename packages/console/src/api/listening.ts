import { ApiProblem } from "./ApiProblem.ts"
import { send } from "./http.ts"
import { type ServerEvent, serverEvents } from "./sse.ts"
import { pauseAfter } from "./pauses.logic.ts"

/** The server says every 15 seconds that it is there. */
const silenceMaxMs = 40_000

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** What can't get better by asking again: who asks may not, or what is asked for is not there. */
const isFinal = (error: unknown) => error instanceof ApiProblem && [400, 401, 403, 404, 410].includes(error.status)

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

/** A tab that nobody looks at listens to nothing: browsers have six connections to a server, for all tabs together. */
const whileSeen = async (follow: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> => {
  await seen(signal)
  const hidden = new AbortController()
  const look = () => {
    if (document.hidden) hidden.abort()
  }
  document.addEventListener("visibilitychange", look)
  try {
    await follow(AbortSignal.any([signal, hidden.signal]))
  } catch (error) {
    if (!hidden.signal.aborted) throw error
  } finally {
    document.removeEventListener("visibilitychange", look)
  }
}

/** Follows until it is stopped, or told that it never will; tells each time that it broke off. */
export const again = async (
  follow: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  brokeOff: (problem: unknown) => void = () => undefined
): Promise<void> => {
  let failures = 0
  while (!signal.aborted) {
    const began = performance.now()
    const problem = await whileSeen(follow, signal).then(
      () => null,
      (error: unknown) => error
    )
    if (signal.aborted) return
    brokeOff(problem)
    if (isFinal(problem)) return
    failures = performance.now() - began > silenceMaxMs ? 0 : failures
    await pause(pauseAfter(failures++), signal)
  }
}

interface Listener {
  readonly begin?: () => void
  readonly take: (batch: ReadonlyArray<ServerEvent>) => void
}

/** One stream of events, to its end. One that is silent for too long has ended without saying so. */
export const listen = async (path: string, stopped: AbortSignal, { begin, take }: Listener): Promise<void> => {
  const silent = new AbortController()
  const stop = () => silent.abort()
  let watch = setTimeout(stop, silenceMaxMs)
  stopped.addEventListener("abort", stop)
  try {
    const response = await send(path, { signal: silent.signal })
    begin?.()
    for await (const batch of serverEvents(response.body!)) {
      clearTimeout(watch)
      watch = setTimeout(stop, silenceMaxMs)
      if (batch.length > 0) take(batch)
    }
  } finally {
    clearTimeout(watch)
    stopped.removeEventListener("abort", stop)
  }
}
