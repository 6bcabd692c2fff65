import { Effect, Semaphore } from "effect"
import { randomBytes } from "node:crypto"
import { constants, type Stats } from "node:fs"
import { mkdir, open, readdir, stat, unlink } from "node:fs/promises"
import { join } from "node:path"
import { spillLimits } from "./builtin/limits.ts"
import type { OpenSpill } from "./Spill.ts"

export interface SpillDirectoryOptions {
  /** On the host. The session sees it read-only, so nothing but us writes there. */
  readonly directory: string
  /** What the session calls it. */
  readonly target: string
  readonly fileBytesMax?: number
  readonly sessionBytesMax?: number
}

/** Files for what is too long for an answer. When the session has used up its room, the oldest of them go. */
export const makeSpillDirectory = ({
  directory,
  fileBytesMax = spillLimits.fileBytesMax,
  sessionBytesMax = spillLimits.sessionBytesMax,
  target
}: SpillDirectoryOptions): OpenSpill => {
  const one = Semaphore.makeUnsafe(1)
  const create = async (name: string) => {
    await mkdir(directory, { recursive: true, mode: 0o755 })
    await makeRoom(directory, sessionBytesMax - fileBytesMax)
    const file = `${name}-${randomBytes(6).toString("hex")}.txt`
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    return { file, handle: await open(join(directory, file), flags, 0o644) }
  }
  return (name) =>
    Effect.acquireRelease(one.withPermits(1)(Effect.promise(() => create(name))), ({ handle }) =>
      Effect.promise(() => handle.close())
    ).pipe(
      Effect.map(({ file, handle }) => {
        let size = 0
        return {
          path: `${target}/${file}`,
          write: (bytes: Uint8Array) =>
            Effect.promise(async () => {
              const taken = bytes.subarray(0, fileBytesMax - size)
              size += taken.length
              // A full disk costs the rest of the file, not the call.
              return await handle.writeFile(taken).then(
                () => taken.length === bytes.length,
                () => false
              )
            })
        }
      })
    )
}

const makeRoom = async (directory: string, bytesMax: number): Promise<void> => {
  const files: Array<{ readonly path: string; readonly stats: Stats }> = []
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    files.push({ path, stats: await stat(path) })
  }
  let used = files.reduce((sum, { stats }) => sum + stats.size, 0)
  for (const { path, stats } of files.toSorted((a, b) => a.stats.mtimeMs - b.stats.mtimeMs)) {
    if (used <= bytesMax) return
    await unlink(path)
    used -= stats.size
  }
}
