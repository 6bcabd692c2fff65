import { ApiError } from "@troupe/client"

export interface Missing {
  readonly title: string
  readonly text: string
  readonly requestId: string | null
}

/**
 * Why there is no session to show; null where there is one, or where that is not known. What has been seen of a session stays on
 * the screen, whatever becomes of it.
 */
export const missingSession = (sessionId: string, seen: number, problem: unknown): Missing | null => {
  if (seen > 0 || !(problem instanceof ApiError)) return null
  const { requestId, status } = problem
  if (status === 400) {
    const text = `${sessionId} is not the id of a session: those begin with sesn_. A part of the address may be missing.`
    return { title: "This is no session's address", text, requestId }
  }
  if (status !== 404) return null
  const text = `There is no session ${sessionId} in this workspace. It may be deleted, or belong to another one: that is entered by another key.`
  return { title: "There is no such session", text, requestId }
}
