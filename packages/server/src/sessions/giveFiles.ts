import { invalid, notFound } from "@troupe/domain/api/ApiError"
import type { WantedFile } from "@troupe/domain/api/compat/resources"
import { ResourceId, type SessionId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import type { FileSpec } from "@troupe/domain/session/FileResource"
import type { Resource } from "@troupe/domain/session/Opening"
import { Clock, Effect } from "effect"
import { Files } from "../files/Files.ts"
import { Caller, Mint } from "../gateway/Requests.ts"

/**
 * Copies files for a session. All of them are looked for before the first is copied; the copies of a session that does not
 * come to be, or does not take them, are swept away.
 */
export const giveFiles = Effect.fn("giveFiles")(function* (sessionId: SessionId, wanted: ReadonlyArray<WantedFile>) {
  const files = yield* Files
  const mint = yield* Mint
  const { workspaceId } = yield* Caller
  if (wanted.length > Limits.resourcesMax) return yield* invalid(`resources: takes at most ${Limits.resourcesMax}`)
  const found = yield* Effect.forEach(wanted, ({ fileId }, index) =>
    Effect.catchTag(files.find(workspaceId, fileId), "ApiFailure", ({ code, message }) =>
      Effect.fail(notFound(`resources.${index}.file_id: ${message}`, code))
    )
  )
  const added_at = yield* Clock.currentTimeMillis
  return yield* Effect.forEach(wanted, ({ mountPath, unpack }, index) =>
    Effect.gen(function* () {
      const known = found[index]!
      const spec: FileSpec = {
        file_id: yield* files.copy(known, sessionId),
        mount_path: mountPath,
        sha256: known.sha256,
        size_bytes: known.file.size_bytes,
        added_at,
        ...(unpack ? { unpack } : {})
      }
      return { resourceId: ResourceId.make(mint("Resource")), type: "file", spec } satisfies Resource
    })
  )
})
