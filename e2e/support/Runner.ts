import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"

export interface RunnerProcess {
  readonly url: string
  readonly end: () => Promise<void>
}

/** Starts the scripted runner as a process that outlives every node. */
export const startRunner = async (seed: number, contactLeaseMs: number): Promise<RunnerProcess> => {
  const args = [join(import.meta.dirname, "runner-main.ts"), String(seed), String(contactLeaseMs)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
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
