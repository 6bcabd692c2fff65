import { TriangleAlert } from "lucide-react"
import { explain, type Explained } from "./problem.logic.ts"

/** What happened, what it means, and the number under which the server knows it. */
export const Problem = (props: {
  readonly error: unknown
  readonly onRetry?: () => void
  /** What is said of it, where that is not what is said everywhere. */
  readonly explainedBy?: (error: unknown) => Explained
}) => {
  const { error, explainedBy = explain, onRetry } = props
  const { advice, message, requestId, title, unaffected } = explainedBy(error)
  return (
    <div className="notice bad" role="alert">
      <TriangleAlert size={15} aria-hidden />
      <strong>{title}</strong>
      <span>{message}</span>
      <span className="soft">
        {unaffected} {advice}
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
