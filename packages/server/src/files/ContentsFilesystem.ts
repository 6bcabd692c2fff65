import type { WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect, Layer, Option } from "effect"
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Contents, unavailable } from "./Contents.ts"
import { readPieces } from "./readPieces.ts"
import { stagedName } from "./Staging.ts"

const pieceBytes = 256 * 1_024
/** Several nodes may share the directory, so what another one is just writing is left alone. */
const abandonedMs = 24 * 3_600_000

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false
      throw error
    }
  )

/** A name is on disk once its directory is. */
const flush = async (directory: string): Promise<void> => {
  const opened = await open(directory, "r")
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** Below a directory of this node's, or of all nodes': `workspace/first two digits/hash`. */
export const layer = (root: string): Layer.Layer<Contents> =>
  Layer.effect(
    Contents,
    Effect.gen(function* () {
      const staging = join(root, "staging")
      const pathOf = (workspaceId: WorkspaceId, sha256: string) => join(root, workspaceId, sha256.slice(0, 2), sha256)

      const now = yield* Clock.currentTimeMillis
      yield* Effect.ignore(
        Effect.tryPromise(async () => {
          for (const name of (await readdir(staging)).filter((one) => stagedName.test(one))) {
            const { mtimeMs } = await stat(join(staging, name))
            if (now - mtimeMs > abandonedMs) await rm(join(staging, name), { force: true })
          }
        })
      )

      return Contents.of({
        staging,
        put: Effect.fn("Contents.put")((workspaceId, { path, sha256 }) =>
          Effect.tryPromise({
            try: async () => {
              const target = pathOf(workspaceId, sha256)
              if (await isThere(target)) return
              await mkdir(dirname(target), { recursive: true, mode: 0o700 })
              await rename(path, target)
              await flush(dirname(target))
            },
            catch: unavailable("put")
          })
        ),
        read: Effect.fn("Contents.read")(function* ({ sha256, workspaceId }, range) {
          const path = pathOf(workspaceId, sha256)
          const there = yield* Effect.tryPromise({ try: () => isThere(path), catch: unavailable("read") })
          return there ? Option.some(readPieces(path, range, pieceBytes)) : Option.none()
        }),
        remove: Effect.fn("Contents.remove")((workspaceId, sha256) =>
          Effect.tryPromise({
            try: () => rm(pathOf(workspaceId, sha256), { force: true }),
            catch: unavailable("remove")
          })
        )
      })
    })
  )
