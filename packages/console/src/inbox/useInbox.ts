import { useQueries } from "@tanstack/react-query"
import { listApprovals, listQuestions } from "../api/resources.ts"
import { merged, type Waiting } from "./inbox.logic.ts"

const againEveryMs = 4_000

const none: ReadonlyArray<Waiting> = []

/** Everything that waits for a person, the oldest first. Asked for again and again while somebody looks. */
export const useInbox = () =>
  useQueries({
    queries: [
      {
        queryKey: ["inbox", "approvals"],
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => listApprovals(signal),
        refetchInterval: againEveryMs
      },
      {
        queryKey: ["inbox", "questions"],
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => listQuestions(signal),
        refetchInterval: againEveryMs
      }
    ],
    combine: ([approvals, questions]) => ({
      isPending: approvals.isPending || questions.isPending,
      problem: approvals.error ?? questions.error,
      waiting:
        approvals.data === undefined || questions.data === undefined
          ? none
          : merged(approvals.data.data, questions.data.data)
    })
  })

/** How much waits, for the navigation. */
export const useWaiting = (): number => useInbox().waiting.length
