import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { stepLine } from "../app/progress.ts"
import { whileTelling } from "../app/whileTelling.ts"
import { ChildLog } from "./ChildLog.ts"
import { troubleOf, troubleOfCode } from "./failures.ts"
import { detailOf, holderOf, HomeUnusable, makeHome } from "./Home.ts"
import { lackOfRoom } from "./fullDisk.ts"
import { logsOf } from "./parts.ts"
import { recordOf } from "./Program.ts"
import type { UpConfig } from "./UpConfig.ts"

const main = fileURLToPath(new URL("../../bin/troupe.mjs", import.meta.url))

const start = ({ databaseUrl, home }: UpConfig, isLan: boolean) =>
  Effect.try({
    try: () => {
      makeHome(home)
      // What it would say of a full disk, it could write nowhere.
      const lacks = lackOfRoom(home, databaseUrl === null)
      if (lacks !== null) throw new Error(lacks)
      if (!existsSync(logsOf(home))) mkdirSync(logsOf(home), { mode: 0o700 })
      const log = new ChildLog(join(logsOf(home), "up.log"))
      const output = log.open()
      const child = spawn(process.execPath, [main, "up", ...(isLan ? ["--lan"] : [])], {
        detached: true,
        stdio: ["ignore", output, output]
      })
      closeSync(output)
      return { child, log }
    },
    catch: (cause) => new HomeUnusable({ home, detail: detailOf(cause) })
  })

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Where a start that is under way listens once it is ready; null where there is none, or it came to nothing. */
const underWay = Effect.fnUntraced(function* (home: string) {
  for (let holder = holderOf(home); holder !== null; holder = holderOf(home)) {
    if (holder.ready === true) return holder.url ?? ""
    yield* Effect.sleep(50)
  }
  return null
})

const steps = ["it begins", "the database starts", "the node starts", "the runner tries what it can do"] as const

const stepOf = (home: string): number => {
  if (holderOf(home) === null) return 0
  if (recordOf(home, "node") === null) return 1
  return recordOf(home, "runner") === null ? 2 : 3
}

const begin = Effect.fnUntraced(function* (config: UpConfig, isLan: boolean) {
  const { home } = config
  const before = yield* underWay(home)
  if (before !== null) return before
  const { child, log } = yield* Effect.mapError(start(config, isLan), troubleOf)
  while (!hasEnded(child)) {
    const holder = holderOf(home)
    // Another start may have been faster: then that one is used.
    if (holder?.ready === true) {
      child.unref()
      return holder.url ?? ""
    }
    yield* Effect.sleep(50)
  }
  const other = yield* underWay(home)
  if (other !== null) return other
  const said = log.news().join("\n")
  return yield* troubleOfCode(child.exitCode ?? 1, said || "It did not start.")
})

/** Starts the all-in-one as a process of its own, and waits until it can be used. Answers where it listens. */
export const inBackground = (config: UpConfig, isLan = false) =>
  whileTelling((ms) => stepLine(steps, stepOf(config.home), ms), begin(config, isLan))
