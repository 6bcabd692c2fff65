import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Hourglass } from "lucide-react"
import { troupe } from "../api/troupe.ts"
import { Problem } from "../ui/Problem.tsx"
import type { Held } from "./limits.logic.ts"

/** Says at which limit a session rests, and how it goes on. */
export const LimitNotice = ({ held, sessionId }: { readonly held: Held; readonly sessionId: string }) => {
  const client = useQueryClient()
  const resume = useMutation({
    mutationFn: () => troupe.sessions.resume(sessionId),
    onSuccess: (session) => client.setQueryData(["session", sessionId], session)
  })
  return (
    <div className="above">
      {resume.error === null ? null : <Problem error={resume.error} />}
      <section className="notice" aria-label="Limit reached">
        <Hourglass size={15} aria-hidden />
        <strong>It has come up to a limit: {held.text}</strong>
        {held.isSoft ? (
          <>
            <span className="soft">Nothing was lost. It goes on once you say so, and this limit asks no more.</span>
            <span className="actions">
              <button
                type="button"
                className="button first"
                disabled={resume.isPending}
                onClick={() => resume.mutate()}
              >
                Go on
              </button>
            </span>
          </>
        ) : (
          <span className="soft">
            Nothing was lost. It goes on once the limit is raised above what was used, or taken away: by the bar at the
            upper right.
          </span>
        )}
      </section>
    </div>
  )
}
