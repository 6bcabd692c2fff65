import { TriangleAlert } from "lucide-react"
import { asProblem } from "../api/ApiProblem.ts"
import { explain } from "./problem.logic.ts"

/** What happened, what it means, and the number under which the server knows it. */
export const Problem = ({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) => {
  const problem = asProblem(error)
  const { advice, title } = explain(problem)
  return (
    <div className="notice bad" role="alert">
      <TriangleAlert size={15} aria-hidden />
      <strong>{title}</strong>
      <span>{problem.message}</span>
      <span className="soft">
        {advice}
        {problem.requestId === null ? null : (
          <>
            {" "}
            <code>{problem.requestId}</code>
          </>
        )}
      </span>
      {onRetry === undefined ? null : (
        <span className="actions">
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        </span>
      )}
    </div>
  )
}
