import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"

export interface RunnerProcess {
  readonly url: string
  readonly end: () => Promise<void>
}

/** Starts the scripted runner as a process that outlives every node. */
export const startRunner = async (seed: number, leaseMs: number): Promise<RunnerProcess> => {
  const main = join(import.meta.dirname, "runner-main.ts")
  const child: ChildProcess = spawn(process.execPath, [main, String(seed), String(leaseMs)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve)
    child.once("exit", (code) => reject(new Error(`The runner ended with ${code}`)))
  })
  return {
    url,
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, "exit")
      child.kill("SIGKILL")
      await exit
    }
  }
}
