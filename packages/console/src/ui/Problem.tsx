import { TriangleAlert } from "lucide-react"
import { explain } from "./problem.logic.ts"

/** What happened, what it means, and the number under which the server knows it. */
export const Problem = ({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) => {
  const { advice, message, requestId, title } = explain(error)
  return (
    <div className="notice bad" role="alert">
      <TriangleAlert size={15} aria-hidden />
      <strong>{title}</strong>
      <span>{message}</span>
      <span className="soft">
        {advice}
        {requestId === null ? null : (
          <>
            {" "}
            <code>{requestId}</code>
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
