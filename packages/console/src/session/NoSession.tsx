import { MessagesSquare } from "lucide-react"
import { WorkspaceLink } from "../app/links.tsx"
import { PageHeader } from "../app/PageHeader.tsx"
import { Empty } from "../ui/Empty.tsx"
import type { Missing } from "./missing.logic.ts"

/** What an address leads to that names no session: what happened, and ways on. */
export const NoSession = ({ missing }: { readonly missing: Missing }) => (
  <>
    <PageHeader title="No session" />
    <Empty
      icon={MessagesSquare}
      title={missing.title}
      actions={
        <>
          <WorkspaceLink to="sessions" className="button first">
            Go to the sessions
          </WorkspaceLink>
          <WorkspaceLink to="sessions/new" className="button">
            Start a session
          </WorkspaceLink>
        </>
      }
    >
      <p>
        {missing.text} Nothing was changed.
        {missing.requestId === null ? null : (
          <>
            {" "}
            <code>{missing.requestId}</code>
          </>
        )}
      </p>
    </Empty>
  </>
)
