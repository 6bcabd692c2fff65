import { Duration, Effect } from "effect"
import { spawn } from "node:child_process"
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

const intervalMs = 500

/**
 * Returns once the directories hold more than they may. A sandbox that was full before may go on as long as it does not
 * grow: how else could anything be deleted?
 */
export const diskExceeded = Effect.fnUntraced(function* (directories: ReadonlyArray<string>, bytesMax: number) {
  const before = (yield* diskUsage(directories)) ?? 0
  const limit = Math.max(bytesMax, before)
  while (true) {
    const [took, usage] = yield* Effect.timed(diskUsage(directories))
    if (usage !== undefined && usage > limit) return usage
    // A large tree takes long to walk: never more than a tenth of the time goes into that.
    yield* Effect.sleep(Math.max(intervalMs, 9 * Duration.toMillis(took)))
  }
})
