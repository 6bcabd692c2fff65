import { useMemo, useSyncExternalStore } from "react"
import { type FeedView, SessionFeed } from "./SessionFeed.ts"

/** One session, live for as long as it is on the screen. */
export const useFeed = (sessionId: string): FeedView => {
  const feed = useMemo(() => new SessionFeed(sessionId), [sessionId])
  return useSyncExternalStore(feed.subscribe, feed.snapshot)
}
