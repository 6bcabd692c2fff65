import type { FileId } from "@troupe/domain/Ids"
import type { FileError } from "@troupe/domain/runner/Files"
import { fileSpecOf, uploadsPath } from "@troupe/domain/session/FileResource"
import type { Resource } from "@troupe/domain/session/Opening"
import { Effect, Result, Semaphore } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { FileClient } from "../link/FileClient.ts"
import { places } from "../sandbox/Sandbox.ts"
import type { Home } from "../sandbox/SandboxHome.ts"
import { collect, type Collection } from "../workingcopy/collect.ts"
import { type Lacking, materialise } from "../workingcopy/materialise.ts"
import * as MountTable from "../workingcopy/MountTable.ts"
import type { Owner } from "../workingcopy/Root.ts"

interface PlaceFilesOptions {
  readonly home: Home
  readonly owner?: Owner
  readonly client: FileClient["Service"]
  readonly ticket: () => string
}

/** What of the resources is mounted. Where they don't fit together, two that came at once want one place: the first has it. */
const tableOf = Effect.fnUntraced(function* (resources: ReadonlyArray<Resource>, path: string) {
  const all = resources.flatMap((resource): ReadonlyArray<MountTable.MountedFile> => {
    const file = fileSpecOf(resource)
    if (file === null) return []
    return [{ path: file.mount_path.slice(uploadsPath.length + 1), sha256: file.sha256, bytes: file.size_bytes }]
  })
  const fits = (files: ReadonlyArray<MountTable.MountedFile>) => Effect.result(MountTable.make([entryOf(path, files)]))
  if (Result.isSuccess(yield* fits(all))) return { files: all, lacking: [] }
  const lacking: Array<Lacking> = []
  const files: Array<MountTable.MountedFile> = []
  for (const file of all) {
    const table = yield* fits([...files, file])
    if (Result.isSuccess(table)) files.push(file)
    else lacking.push({ path: `${uploadsPath}/${file.path}`, detail: table.failure.message })
  }
  return { files, lacking }
})

const entryOf = (path: string, files: ReadonlyArray<MountTable.MountedFile>): MountTable.MountEntry => ({
  target: places.uploads,
  readOnly: true,
  source: { _tag: "Files", path, files },
  sync: "none"
})

/** The files of a session at its place: those that it was given, and those that its agent makes. */
export const makePlaceFiles = Effect.fnUntraced(function* ({ client, home, owner, ticket }: PlaceFilesOptions) {
  const one = yield* Semaphore.make(1)
  const memory = join(home.home, "uploads.json")

  const give = Effect.fn("Place.give")(function* (
    resources: ReadonlyArray<Resource>
  ): Effect.fn.Return<ReadonlyArray<Lacking>, FileError> {
    const { files, lacking } = yield* tableOf(resources, home.uploads)
    if (files.length === 0 && !existsSync(memory)) return lacking
    const away = yield* materialise(
      { entries: [entryOf(home.uploads, files)] },
      { download: (file, into) => client.get(ticket(), file, into), incoming: join(home.home, "incoming"), memory }
    )
    return [...lacking, ...away]
  }, one.withPermits(1))

  const collectNow: Effect.Effect<Collection<FileId>, FileError> = Effect.suspend(() =>
    collect({
      root: { root: home.outputs, at: places.outputs, ...(owner === undefined ? {} : { owner }) },
      memory: join(home.home, "outputs.json"),
      store: (file, content) => client.tell(ticket(), file, content)
    })
  ).pipe(Effect.withSpan("Place.collect"), one.withPermits(1))

  return { give, collect: collectNow }
})
