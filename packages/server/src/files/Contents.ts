import { ApiFailure } from "@troupe/domain/api/ApiError"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, type Option, Schema, type Stream } from "effect"

/** Content of a workspace, by its SHA-256. */
export interface ContentName {
  readonly workspaceId: WorkspaceId
  readonly sha256: string
  readonly bytes: number
}

export interface Range {
  readonly offset: number
  readonly length: number
}

/** Content that has arrived whole, in a file of ours. */
export interface Staged {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
}

/** The place where content is kept did not do its part. Trying again may help. */
export class ContentsUnavailable extends Schema.TaggedError<ContentsUnavailable>()("ContentsUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `The store of files did not complete ${this.operation}`
  }
}

/**
 * Where the content of files is kept, by its hash: on disk, in the database or in a bucket. It is large, so it comes and goes
 * in pieces. Which content is still needed is not known here; what nobody needs is removed by `FileSweep`.
 */
export class Contents extends Context.Service<
  Contents,
  {
    /** Where content is put on its way in: a directory of this node. */
    readonly staging: string
    /** The content is there once this has ended, and not before. Putting the same again changes nothing. May take the file. */
    readonly put: (workspaceId: WorkspaceId, staged: Staged) => Effect.Effect<void, ContentsUnavailable>
    /** None where there is no such content. */
    readonly read: (
      name: ContentName,
      range: Range
    ) => Effect.Effect<Option.Option<Stream.Stream<Uint8Array, ContentsUnavailable>>, ContentsUnavailable>
    readonly remove: (workspaceId: WorkspaceId, sha256: string) => Effect.Effect<void, ContentsUnavailable>
  }
>()("server/Contents") {}

export const unavailable =
  (operation: string) =>
  (cause: unknown): ContentsUnavailable =>
    new ContentsUnavailable({ operation, cause })

/** What can't be had now is logged with its cause, of which clients are told nothing. */
export const away = (error: ContentsUnavailable): Effect.Effect<never, ApiFailure> =>
  Effect.andThen(
    Effect.logError(error.message, error),
    Effect.fail(
      new ApiFailure({
        type: "api_error",
        status: 503,
        message: "Files can't be reached right now",
        retryAfterMs: 1_000
      })
    )
  )
