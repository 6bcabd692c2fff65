import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import type { Session } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { type Policy, readPolicies, textOf } from "../policies/policies.logic.ts"
import { PolicyField } from "../policies/PolicyField.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Problem } from "../ui/Problem.tsx"

const Form = ({ onDone, session }: { readonly session: Session; readonly onDone: () => void }) => {
  const client = useQueryClient()
  const before = textOf(session.troupe.policies)
  const [text, setText] = useState(before)
  const read = readPolicies(text)
  const save = useMutation({
    mutationFn: (policies: ReadonlyArray<Policy>) => troupe.sessions.update(session.id, { troupe: { policies } }),
    onSuccess: (changed) => {
      client.setQueryData(["session", session.id], changed)
      onDone()
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (read._tag === "Read") save.mutate(read.policies)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p className="soft">
        What this session is held to beside the policies of the workspace and of its agent, from the next attempt on.
        Where several speak of a call, the strictest counts.
      </p>
      <PolicyField id="session-policies" title="Policies" rowsMin={6} text={text} onChange={setText} />
      {save.error === null ? null : <Problem error={save.error} />}
      <div className="form-foot">
        <button
          type="submit"
          className="button first"
          disabled={text === before || read._tag === "Wrong" || save.isPending}
        >
          Save
        </button>
      </div>
    </form>
  )
}

/** Changes what a session's calls are held to. */
const ChangePolicies = ({ onDone, sessionId }: { readonly sessionId: string; readonly onDone: () => void }) => {
  const session = useQuery({ queryKey: ["session", sessionId], queryFn: () => troupe.sessions.retrieve(sessionId) })
  return (
    <Loaded of={session} isInset>
      {(found) => <Form session={found} onDone={onDone} />}
    </Loaded>
  )
}
export default ChangePolicies
