import type { FileError } from "@troupe/domain/runner/Files"
import type { FileChange } from "@troupe/domain/runner/Workplace"
import { Clock, Duration, Effect, Option, Stream } from "effect"
import type { WalkOptions, WalkResult } from "./walk.ts"

export interface WatchOptions extends Pick<WalkOptions, "ignore" | "hidden"> {
  /** How long to rest between two looks, at least. */
  readonly restMs?: number
  /** A larger tree is still watched, but what is beyond is only ever said as `rescan`. */
  readonly entriesMax?: number
  /** More changes than these at once are said as one `rescan`. */
  readonly changesMax?: number
}

const defaults = { restMs: 1_000, entriesMax: 50_000, changesMax: 1_000 }

/** Looking takes at most this part of the time, so that a large tree is looked at less often. */
const restPerLook = 20

interface Look {
  readonly versions: ReadonlyMap<string, string>
  readonly isComplete: boolean
  readonly tookMs: number
}

/**
 * Looks at the tree again and again, and tells what differs. The system's own notices are not used: they are asked for by
 * path, which may lead elsewhere by then, they cost the system memory for each directory an agent makes, and they get lost.
 */
export const watch = (
  path: string,
  walk: (options: WalkOptions) => Effect.Effect<WalkResult, FileError>,
  options: WatchOptions = {}
): Stream.Stream<FileChange, FileError> => {
  const { changesMax, entriesMax, restMs, ...rest } = { ...defaults, ...options }

  const look = Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const { entries, isComplete } = yield* walk({ ...rest, entriesMax, limit: entriesMax, directories: true })
    const versions = new Map(entries.map((entry) => [entry.path, entry.kind === "directory" ? "" : entry.version]))
    return { versions, isComplete, tookMs: (yield* Clock.currentTimeMillis) - began }
  })

  const next = Effect.fnUntraced(function* (last: Look) {
    yield* Effect.sleep(Duration.millis(Math.max(restMs, last.tookMs * restPerLook)))
    const current = yield* look
    const changes = changesBetween(last.versions, current.versions)
    const isTooMuch = changes.length > changesMax || !current.isComplete || !last.isComplete
    const rescan: ReadonlyArray<FileChange> = [{ path, kind: "rescan" }]
    return [isTooMuch && changes.length > 0 ? rescan : changes, Option.some(current)] as const
  })

  return Stream.unwrap(Effect.map(look, (first) => Stream.paginate(first as Look, next)))
}

const changesBetween = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>
): ReadonlyArray<FileChange> => {
  const changes: Array<FileChange> = []
  for (const [path, version] of after) {
    const known = before.get(path)
    if (known !== version) changes.push({ path, kind: known === undefined ? "added" : "changed" })
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ path, kind: "deleted" })
  return changes
}
