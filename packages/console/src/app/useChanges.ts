import { useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { isLasting } from "../api/lasting.logic.ts"
import { troupe } from "../api/troupe.ts"
import { followWhileSeen } from "../api/whileSeen.ts"
import { staleAfter } from "./changes.logic.ts"

/** However much happens, lists are asked for again at most so often. */
const askEveryMs = 500

/** Follows what happens in the workspace, and has the lists on the screen asked for again where they changed. */
export const useChanges = (): void => {
  const client = useQueryClient()
  useEffect(() => {
    const stopped = new AbortController()
    let after: string | undefined
    let stale = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      timer = undefined
      const keys = [...stale]
      // What is on its way is left to arrive: a long list would never be there, were it begun anew at each change.
      stale = new Set(keys.filter((key) => client.isFetching({ queryKey: [key] }) > 0))
      for (const key of keys) if (!stale.has(key)) void client.invalidateQueries({ queryKey: [key] })
      if (stale.size > 0) timer = setTimeout(ask, askEveryMs)
    }
    // What could not be read while the server was away is read once it is back.
    const askWhatFailed = () =>
      void client.invalidateQueries({ predicate: ({ state }) => state.error !== null && !isLasting(state.error) })
    const follow = async (signal: AbortSignal) => {
      const changes = troupe.feed.changes({ after, signal, onConnection: ({ stands }) => stands && askWhatFailed() })
      for await (const { cursor, type } of changes) {
        after = cursor
        const what = staleAfter(type)
        if (what === "all") void client.invalidateQueries()
        else for (const key of what) stale.add(key)
        if (stale.size > 0) timer ??= setTimeout(ask, askEveryMs)
      }
    }
    void followWhileSeen({ follow }, stopped.signal)
    return () => {
      stopped.abort()
      clearTimeout(timer)
    }
  }, [client])
}
