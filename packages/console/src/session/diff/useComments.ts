import { createContext, useMemo, useSyncExternalStore } from "react"
import { remember, remembered } from "../../app/remembered.ts"
import { type Comment, nextId, readComments } from "./comments.logic.ts"

/** The session whose next message takes comments along, for whatever is drawn of it; null where none can be sent. */
export const Commenting = createContext<string | null>(null)

const known = new Map<string, ReadonlyArray<Comment>>()
const listeners = new Set<() => void>()

const commentsOf = (sessionId: string): ReadonlyArray<Comment> => {
  const found = known.get(sessionId) ?? readComments(remembered("comments", sessionId))
  known.set(sessionId, found)
  return found
}

const keep = (sessionId: string, comments: ReadonlyArray<Comment>): void => {
  known.set(sessionId, comments)
  remember("comments", sessionId, comments.length === 0 ? undefined : JSON.stringify(comments))
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** What waits to be said of a session's lines. */
export const useComments = (sessionId: string) => {
  const comments = useSyncExternalStore(subscribe, () => commentsOf(sessionId))
  return useMemo(
    () => ({
      comments,
      add: (comment: Omit<Comment, "id">) =>
        keep(sessionId, [...commentsOf(sessionId), { ...comment, id: nextId(commentsOf(sessionId)) }]),
      change: (id: string, words: string) =>
        keep(
          sessionId,
          commentsOf(sessionId).map((one) => (one.id === id ? { ...one, words } : one))
        ),
      remove: (some: ReadonlyArray<Pick<Comment, "id">>) =>
        keep(
          sessionId,
          commentsOf(sessionId).filter(({ id }) => some.every((one) => one.id !== id))
        )
    }),
    [comments, sessionId]
  )
}
