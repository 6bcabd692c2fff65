import { useQueries } from "@tanstack/react-query"
import { useMemo } from "react"
import { allOf, troupe } from "../api/troupe.ts"
import { merged, type Waiting } from "./inbox.logic.ts"

const none: ReadonlyArray<Waiting> = []
/** Pages as large as there are; the server has those first that have waited longest. */
const pageSize = { limit: 100 } as const

/** Everything that waits for a person, the oldest first. Asked for again when the workspace says that it changed. */
export const useInbox = () =>
  useQueries({
    queries: [
      {
        queryKey: ["inbox", "approvals"],
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => allOf(troupe.approvals.list(pageSize, { signal }))
      },
      {
        queryKey: ["inbox", "questions"],
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => allOf(troupe.questions.list(pageSize, { signal }))
      }
    ],
    combine: ([approvals, questions]) => ({
      isPending: approvals.isPending || questions.isPending,
      problem: approvals.error ?? questions.error,
      waiting:
        approvals.data === undefined || questions.data === undefined ? none : merged(approvals.data, questions.data)
    })
  })

/** How much waits, for the navigation. */
export const useWaiting = (): number => useInbox().waiting.length

/** The sessions in which something waits. */
export const useWaitingSessions = (): ReadonlySet<string> => {
  const { waiting } = useInbox()
  return useMemo(() => new Set(waiting.map(({ session_id }) => session_id)), [waiting])
}
