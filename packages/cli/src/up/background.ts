import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { ChildLog } from "./ChildLog.ts"
import { config, told } from "./failures.ts"
import { readyText } from "./foreground.ts"
import { holderOf, HomeUnusable, makeDirectory } from "./Home.ts"
import { logsOf } from "./parts.ts"
import { say } from "./Talk.ts"

const main = fileURLToPath(new URL("../main.ts", import.meta.url))

const start = (home: string) =>
  Effect.try({
    try: () => {
      makeDirectory(home)
      if (!existsSync(logsOf(home))) mkdirSync(logsOf(home), { mode: 0o700 })
      const log = new ChildLog(join(logsOf(home), "up.log"))
      const output = log.open()
      const child = spawn(process.execPath, [main, "up"], { detached: true, stdio: ["ignore", output, output] })
      closeSync(output)
      return { child, log }
    },
    catch: (cause) => new HomeUnusable({ home, detail: (cause as Error).message })
  })

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Starts the all-in-one as a process of its own, and waits until it can be used. */
export const startInBackground: Effect.Effect<number> = told(
  Effect.gen(function* () {
    const given = yield* config
    const { child, log } = yield* start(given.home)
    while (!hasEnded(child)) {
      const holder = holderOf(given.home)
      if (holder?.pid === child.pid && holder?.ready === true) {
        child.unref()
        const text = yield* readyText(given, holder.url ?? "", null)
        yield* Effect.sync(() => process.stdout.write(`${text}\nIt runs in the background; npx troupe stop ends it.\n`))
        return 0
      }
      yield* Effect.sleep(50)
    }
    for (const line of log.news()) yield* say(line)
    return child.exitCode ?? 1
  })
)
