import { Clock, Duration, Effect } from "effect"
import { spawn } from "node:child_process"
import { lstatSync, opendirSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs"
import { findTool, systemPath } from "./Tools.ts"

/**
 * Bytes that directories take on the disk, each file once, without following links or entering other file systems. `du`
 * walks trees of any depth, and what changes meanwhile does not matter. Undefined where nothing could be learned.
 */
export const diskUsage = (directories: ReadonlyArray<string>): Effect.Effect<number | undefined> =>
  Effect.callback((resume) => {
    const du = findTool("du")
    if (du === undefined) return resume(Effect.succeed(undefined))
    let said = ""
    const child = spawn(du, ["-s", "-c", "-x", "-k", "--", ...directories], {
      env: { PATH: systemPath, LC_ALL: "C" },
      cwd: "/",
      stdio: ["ignore", "pipe", "ignore"]
    })
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")))
    child.on("error", () => resume(Effect.succeed(undefined)))
    child.on("close", () => {
      const total = /^(\d+)\ttotal$/m.exec(said)?.[1]
      resume(Effect.succeed(total === undefined ? undefined : Number(total) * 1_024))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** How many entries are looked at here, where starting `du` would cost more than looking does. */
const entriesMax = 256

/** As `du` counts, of a few files; undefined where there are more, or a directory can't be read as it was found. */
const bytesOfFew = (directories: ReadonlyArray<string>): number | undefined =>
  attempted(() => {
    const counted = new Set<string>()
    let bytes = 0
    let entries = 0
    const add = (path: string, device: number | null): void => {
      if (++entries > entriesMax) throw new Error("there are too many")
      const stats = lstatSync(path)
      const file = `${stats.dev}:${stats.ino}`
      if (counted.has(file) || (device !== null && stats.dev !== device)) return
      counted.add(file)
      bytes += stats.blocks * 512
      if (stats.isDirectory()) for (const name of namesIn(path)) add(`${path}/${name}`, stats.dev)
    }
    for (const path of directories) add(path, null)
    return bytes
  })

/** One after the other: there may be a million, of which few are looked at. */
function* namesIn(path: string) {
  const directory = opendirSync(path)
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry.name
  } finally {
    directory.closeSync()
  }
}

/** The same, found out in the cheapest way. */
export const bytesTaken = (directories: ReadonlyArray<string>): Effect.Effect<number | undefined> =>
  Effect.suspend(() => {
    const few = bytesOfFew(directories)
    return few === undefined ? diskUsage(directories) : Effect.succeed(few)
  })

/** Bytes of files that have no name any more, and are there as long as one of the processes has them open. */
export const deletedBytes = (processes: ReadonlyArray<number>): number => {
  const sizes = new Map<string, number>()
  for (const pid of processes) {
    for (const path of descriptorsOf(pid)) {
      const stats = attempted(() => statSync(path))
      if (stats?.isFile() === true && stats.nlink === 0) sizes.set(`${stats.dev}:${stats.ino}`, stats.blocks * 512)
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
}

const descriptorsOf = (pid: number): ReadonlyArray<string> =>
  (attempted(() => readdirSync(`/proc/${pid}/fd`)) ?? []).map((name) => `/proc/${pid}/fd/${name}`)

/** Of a process that may end meanwhile. */
const attempted = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const intervalMs = 500
/** After so long a tree is walked whatever its file system says: others may have made room there meanwhile. */
const walkedWithinMs = 5_000

/** Who fills the directories. */
interface Filling {
  readonly processes: () => ReadonlyArray<number>
  /** All that could write there, whatever they make of themselves; undefined where that is not known for certain. */
  readonly group: (() => ReadonlyArray<number>) | undefined
}

/** Differs from what it was before whenever one of them has run, to the nanosecond; undefined where it can't be told. */
const activityOf = (processes: ReadonlyArray<number>): string | undefined =>
  attempted(() =>
    processes
      .flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`))
      .map((path) => `${path} ${readFileSync(path, "utf8")}`)
      .join("")
  )

/** What the file systems of these have left; undefined where one does not say. */
const freeBytes = (directories: ReadonlyArray<string>): ReadonlyArray<number> | undefined =>
  attempted(() =>
    directories.map((path) => {
      const { bfree, bsize } = statfsSync(path)
      return bfree * bsize
    })
  )

/** By how much they have less left than before, at most. */
const takenBytes = (before: ReadonlyArray<number> | undefined, now: ReadonlyArray<number> | undefined): number =>
  before === undefined || now === undefined
    ? Infinity
    : before.reduce((sum, bytes, index) => sum + Math.max(0, bytes - now[index]!), 0)

/**
 * Returns once the directories hold more than they may. A sandbox that was full before may go on as long as it does not
 * grow: how else could anything be deleted? While its processes rest, as a shell does between two commands, nothing can grow,
 * and nothing is walked; nor is it, for a while, where the file system has lost less than the sandbox had room for.
 */
export const diskExceeded = Effect.fnUntraced(function* (
  directories: ReadonlyArray<string>,
  bytesMax: number,
  { group, processes }: Filling
) {
  const activity = () => (group === undefined ? undefined : activityOf(group()))
  let looked = activity()
  let free = freeBytes(directories)
  let walkedAt = yield* Clock.currentTimeMillis
  let [took, usage] = yield* Effect.timed(bytesTaken(directories))
  const limit = Math.max(bytesMax, usage ?? 0)
  while (true) {
    // A large tree takes long to walk: never more than a tenth of the time goes into that.
    yield* Effect.sleep(Math.max(intervalMs, 9 * Duration.toMillis(took)))
    const at = yield* Clock.currentTimeMillis
    const left = freeBytes(directories)
    if (usage !== undefined && at - walkedAt < walkedWithinMs && takenBytes(free, left) < limit - usage) continue
    const now = activity()
    const rested = now !== undefined && now === looked
    looked = now
    free = left
    walkedAt = at
    if (rested && usage !== undefined) continue
    ;[took, usage] = yield* Effect.timed(bytesTaken(directories))
    if (usage !== undefined && usage + deletedBytes(processes()) > limit) return
  }
})
