import { existsSync, statfsSync } from "node:fs"
import { join } from "node:path"

/** What the system, SQLite and Postgres say where a disk takes nothing more. */
const said = /No space left on device|ENOSPC|disk is full/i

export const tellsOfFullDisk = (text: string): boolean => said.test(text)

/** What a new database takes with its first log files, and what one needs that is there, so that it can say what is wrong. */
const bytesWanted = { first: 200 * 1_048_576, later: 20 * 1_048_576 } as const

/** Why there is too little room in a home, as a detail of what keeps it from being used; null where there is enough. */
export const lackOfRoom = (home: string, hasDatabase: boolean): string | null => {
  const { bavail, bsize } = statfsSync(home)
  const free = bavail * bsize
  const wanted = hasDatabase && !existsSync(join(home, "postgres")) ? bytesWanted.first : bytesWanted.later
  if (free >= wanted) return null
  if (free < 1_048_576) return "the disk is full"
  return `its disk has ${Math.floor(free / 1_048_576)} MiB left, and ${wanted / 1_048_576} MiB are needed to start`
}
