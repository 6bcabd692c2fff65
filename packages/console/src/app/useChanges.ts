import type { WorkspaceChange } from "@troupe/domain/api/Feed"
import { useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { query } from "../api/http.ts"
import { again, listen } from "../api/listening.ts"
import { staleAfter } from "./changes.logic.ts"

/** However much happens, lists are asked for again at most so often. */
const askEveryMs = 500

/** Follows what happens in the workspace, and has the lists on the screen asked for again where they changed. */
export const useChanges = (): void => {
  const client = useQueryClient()
  useEffect(() => {
    const stopped = new AbortController()
    let after: string | null = null
    let stale = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      timer = undefined
      const keys = [...stale]
      stale = new Set()
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] })
    }
    const follow = (signal: AbortSignal) =>
      listen(`/v1/log/stream${query({ after })}`, signal, {
        take: (batch) => {
          for (const { data, id, name } of batch) {
            after = id ?? after
            const what = staleAfter((name === "message" ? (JSON.parse(data) as WorkspaceChange).type : name) as never)
            if (what === "all") void client.invalidateQueries()
            else for (const key of what) stale.add(key)
          }
          if (stale.size > 0) timer ??= setTimeout(ask, askEveryMs)
        }
      })
    void again(follow, stopped.signal)
    return () => {
      stopped.abort()
      clearTimeout(timer)
    }
  }, [client])
}
