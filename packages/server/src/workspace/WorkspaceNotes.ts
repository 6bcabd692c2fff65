import type { Actor } from "@troupe/domain/Actor"
import type { CommandId, WorkspaceId } from "@troupe/domain/Ids"
import { codec, type WorkspaceEvent } from "@troupe/domain/workspace/WorkspaceEvent"
import { Clock, Effect } from "effect"
import { Minting } from "../log/Minting.ts"
import { WorkspaceLog } from "../log/WorkspaceLog.ts"

/** Writes to a workspace's log, within the caller's transaction. */
export const makeNotes = Effect.gen(function* () {
  const log = yield* WorkspaceLog
  const minting = yield* Minting

  return Effect.fnUntraced(function* (
    workspaceId: WorkspaceId,
    actor: Actor,
    ...events: ReadonlyArray<WorkspaceEvent>
  ) {
    const at = yield* Clock.currentTimeMillis
    const cause = {
      causationId: minting.id("Command", at) as CommandId,
      correlationId: minting.salt(),
      actorText: JSON.stringify(actor),
      at
    }
    yield* log.append({
      workspaceId,
      cause,
      facts: events.map((event) => ({ ...codec.encode(event), threadId: null }))
    })
  })
})
