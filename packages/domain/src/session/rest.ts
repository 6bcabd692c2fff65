import type { OpenSession } from "./SessionState.ts"

/** Nothing runs or waits, nobody is owed or owes anything, and nothing is set for later. */
export const atRest = ({ ended, paused, redactions, threads, timers }: OpenSession): boolean =>
  ended === null &&
  !paused &&
  timers.length === 0 &&
  redactions.length === 0 &&
  threads.every(({ queue, retry, turn }) => turn === null && retry === null && queue.length === 0)

const outcomes = ({ threads }: OpenSession) => threads.flatMap(({ archived, last }) => (archived ? [] : [last]))

/** Whether a session that is here for people to look into what failed is kept. */
const isKept = (session: OpenSession): boolean => session.lifecycle.keepFailed && outcomes(session).includes("failed")

/**
 * Whether a session that lives for its turns alone has done them. One that a person stopped is not: they may have more to
 * say.
 */
export const isDone = (session: OpenSession): boolean => {
  if (session.lifecycle.onIdle !== "delete" || !atRest(session) || isKept(session)) return false
  const ends = outcomes(session)
  return !ends.includes("interrupted") && ends.some((end) => end !== null)
}

/** When a session's time is up if nothing happens to it before; null: never, as things stand. */
export const expiresAt = (session: OpenSession): number | null => {
  const { ttlMs } = session.lifecycle
  return ttlMs === null || !atRest(session) || isKept(session) ? null : session.activeAt + ttlMs
}

/** The runner that has what a deleted session leaves behind; null where nothing is left, or nothing is to go. */
export const leftOn = ({ ended, sandbox }: OpenSession): string | null =>
  ended === "deleted" && sandbox?.live === true ? sandbox.runnerId : null
