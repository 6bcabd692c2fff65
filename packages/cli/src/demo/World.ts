import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { holderOf } from "../up/Home.ts"
import { apiKeyFile } from "../up/parts.ts"
import { recordOf } from "../up/Program.ts"

/** A Troupe that runs in the background. */
export interface World {
  readonly home: string
  readonly url: string
  readonly key: string
}

const main = fileURLToPath(new URL("../main.ts", import.meta.url))
const withinMs = 120_000
const everyMs = 50

const troupe = async (environment: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>): Promise<void> => {
  const child = spawn(process.execPath, [main, ...args], { env: environment, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text))
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0) throw new Error(`troupe ${args.join(" ")} ended with ${code}:\n${said}`)
}

export const start = async (environment: NodeJS.ProcessEnv, home: string): Promise<World> => {
  await troupe(environment, "up", "--detach")
  const url = holderOf(home)?.url
  if (url === undefined) throw new Error(`Nothing runs in ${home}.`)
  return { home, url, key: environment["TROUPE_API_KEY"] ?? readFileSync(apiKeyFile(home), "utf8").trim() }
}

export const stop = (environment: NodeJS.ProcessEnv): Promise<void> => troupe(environment, "stop", "--now")

export const nodeOf = (home: string): number => {
  const found = recordOf(home, "node")
  if (found === null) throw new Error(`No node runs in ${home}.`)
  return found.pid
}

/** The node that runs in the place of another one. */
export const nodeAfter = async (home: string, before: number): Promise<number> => {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    const pid = recordOf(home, "node")?.pid ?? before
    if (pid !== before) return pid
    await pause(everyMs)
  }
  throw new Error(`No other node came within ${withinMs / 1_000} s.`)
}
