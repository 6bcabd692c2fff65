import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A command that runs, and what it has said so far. */
export class Running {
  readonly child: ChildProcess
  said = { stdout: "", stderr: "" }
  private readonly exit: Promise<unknown>

  constructor(child: ChildProcess) {
    this.child = child
    this.exit = once(child, "close")
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream]!.on("data", (chunk: Buffer) => (this.said[stream] += chunk.toString()))
    }
  }

  get all(): string {
    return this.said.stdout + this.said.stderr
  }

  hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Waits until it has said this. */
  async says(words: string): Promise<void> {
    await until(`it says ${words}`, () => {
      if (this.all.includes(words)) return true
      if (this.hasEnded()) throw new Error(`It ended with ${this.child.exitCode} before it said ${words}:\n${this.all}`)
      return false
    }).catch((cause: Error) => {
      throw new Error(`${cause.message}\n${this.all}`)
    })
  }

  async end(): Promise<Ended> {
    await this.exit
    return { code: this.child.exitCode, ...this.said }
  }
}

export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 90_000
): Promise<void> => {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await sleep(50)
  }
}
