import { allows } from "@troupe/domain/api/Workspace"
import { Effect } from "effect"
import type { Caller } from "../gateway/Requests.ts"
import { Workspaces } from "../workspace/Workspaces.ts"

/** Who runs the server: an admin of its first workspace. */
export const isOperator = Effect.fnUntraced(function* ({
  bound,
  scopes,
  workspaceId
}: Pick<Caller["Service"], "bound" | "scopes" | "workspaceId">) {
  const workspaces = yield* Workspaces
  return bound === null && allows(scopes, "admin") && workspaceId === (yield* workspaces.first)
})
