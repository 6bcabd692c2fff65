import type { Actor } from "@troupe/domain/Actor"
import type { CommandId, WorkspaceId } from "@troupe/domain/Ids"
import { codec, type WorkspaceEvent } from "@troupe/domain/workspace/WorkspaceEvent"
import { Clock, Effect } from "effect"
import { notReadableYet } from "../gateway/notReadableYet.ts"
import { LogFormat } from "../log/LogFormat.ts"
import { Minting } from "../log/Minting.ts"
import type { Fact } from "../log/Recorder.ts"
import { WorkspaceLog } from "../log/WorkspaceLog.ts"

/** Writes to a workspace's log, within the caller's transaction. */
export const makeNotes = Effect.gen(function* () {
  const log = yield* WorkspaceLog
  const minting = yield* Minting
  const logFormat = yield* LogFormat

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
    const facts: Array<Fact> = []
    for (const event of events) {
      const encoded = codec.encodeIn(event, logFormat.current())
      // No caller can do anything about it: the door tells whoever asked to come again.
      if (encoded === null) return yield* Effect.die(notReadableYet())
      facts.push({ ...encoded, threadId: null })
    }
    yield* log.append({ workspaceId, cause, facts })
  })
})
