import { useMemo, useSyncExternalStore } from "react"
import { type FeedView, SessionFeed } from "./SessionFeed.ts"

/** One session, live for as long as it is on the screen, and the way to what is not kept of it. */
export const useFeed = (
  sessionId: string
): { readonly view: FeedView; readonly feed: Pick<SessionFeed, "chapter" | "reading"> } => {
  const feed = useMemo(() => new SessionFeed(sessionId), [sessionId])
  return { view: useSyncExternalStore(feed.subscribe, feed.snapshot), feed }
}
