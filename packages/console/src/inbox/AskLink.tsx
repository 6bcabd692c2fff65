import { Link } from "lucide-react"
import { useWorkspace } from "../app/links.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { linkToAsk } from "./inbox.logic.ts"

/** Copies a link that opens the inbox on this call: for whoever is to answer it, also on a phone. */
export const AskLink = (props: { readonly sessionId: string; readonly callId: string; readonly seq: number }) => {
  const { callId, seq, sessionId } = props
  const path = linkToAsk(useWorkspace(), { id: callId as never, session_id: sessionId as never, seq })
  return <CopyButton label="Copy a link to this" icon={Link} text={window.location.origin + path} />
}
