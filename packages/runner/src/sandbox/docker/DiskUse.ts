import { Effect } from "effect"
import { lstat, opendir } from "node:fs/promises"
import { join } from "node:path"

/** How many bytes these directories take on the disk. What goes while we look does not count; links are not followed. */
export const diskUse = (directories: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.promise(async (signal) => {
    const linked = new Set<string>()
    const waiting = [...directories]
    let bytes = 0
    for (let path = waiting.pop(); path !== undefined && !signal.aborted; path = waiting.pop()) {
      try {
        const stats = await lstat(path)
        const name = `${stats.dev}:${stats.ino}`
        if (stats.nlink > 1 && !stats.isDirectory() && linked.has(name)) continue
        linked.add(name)
        bytes += stats.blocks * 512
        if (stats.isDirectory()) for await (const entry of await opendir(path)) waiting.push(join(path, entry.name))
      } catch {
        continue
      }
    }
    return bytes
  })
