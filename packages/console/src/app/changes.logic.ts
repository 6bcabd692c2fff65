import type { WorkspaceChange } from "@troupe/client"

/** What is to be asked for again after a change; everything where changes were missed. */
export const staleAfter = (type: WorkspaceChange["type"]): ReadonlyArray<string> | "all" => {
  switch (type) {
    case "session.changed":
    case "session.deleted":
      return ["newest-sessions"]
    case "inbox.opened":
    case "inbox.closed":
      return ["inbox"]
    case "runner.changed":
      return ["runners", "models"]
    case "reset":
      return "all"
    default:
      return []
  }
}
