import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compiled } from "../../test/support/compiled.ts"

const main = join(import.meta.dirname, "worker-main.ts")

export interface WorkerOptions {
  readonly sdk: "@anthropic-ai/sdk" | "anthropic-sdk-0.120"
  readonly baseURL: string
  readonly environmentId: string
  readonly environmentKey: string
  readonly ttlSeconds: number
}

/** A worker of the vendor's SDK in a process of its own, with a directory of its own, to be killed like a real one. */
export class WorkerProcess {
  readonly directory = mkdtempSync(join(tmpdir(), "troupe-e2e-worker-"))
  readonly output: Array<string> = []
  private readonly child: ChildProcess
  private readonly exited: Promise<unknown>

  constructor({ baseURL, environmentId, environmentKey, sdk, ttlSeconds }: WorkerOptions) {
    const args = [main, sdk, baseURL, environmentId, environmentKey, this.directory, String(ttlSeconds)]
    // A group of its own, so that what its tools run goes with it.
    this.child = spawn(process.execPath, args, {
      env: { PATH: process.env["PATH"] ?? "", ...compiled, ANTHROPIC_LOG: "info" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    this.exited = once(this.child, "exit")
    this.child.stdout!.on("data", (data: Buffer) => this.output.push(String(data)))
    this.child.stderr!.on("data", (data: Buffer) => this.output.push(String(data)))
  }

  /** From one moment to the next, with all that its tools run. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.child.pid!, "SIGKILL")
    await this.exited
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
