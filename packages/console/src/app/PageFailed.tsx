import { Problem } from "../ui/Problem.tsx"

/** What stands in place of a page that could not be shown. The frame around it goes on. */
export const PageFailed = ({ error, reset }: { readonly error: unknown; readonly reset: () => void }) => (
  <div className="page-body padded">
    <Problem error={error} onRetry={reset} />
  </div>
)
