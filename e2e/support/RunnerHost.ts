import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const main = join(import.meta.dirname, "../../packages/runner/src/main.ts")

export interface RunnerHostOptions {
  readonly servers: ReadonlyArray<string>
  readonly token: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** A runner as people start it, on a state directory that outlives its process. */
export class RunnerHost {
  readonly state: string
  readonly output: Array<string> = []
  private readonly options: RunnerHostOptions
  private child: ChildProcess | null = null

  constructor(options: RunnerHostOptions) {
    this.options = options
    this.state = mkdtempSync(join(tmpdir(), "troupe-e2e-runner-"))
    // The accounts of sandboxes pass through it.
    chmodSync(this.state, 0o711)
    writeFileSync(join(this.state, "token"), options.token, { mode: 0o600 })
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error("The runner does not run")
    return this.child.pid
  }

  start(): void {
    const { args = [], env, servers } = this.options
    const child = spawn(
      process.execPath,
      [
        main,
        ...servers.flatMap((server) => ["--server", server]),
        ...["--token-file", join(this.state, "token"), "--state", this.state, "--name", "host"],
        ...args
      ],
      { env: { PATH: process.env["PATH"] ?? "", TROUPE_HOME: this.state, ...env }, stdio: ["ignore", "pipe", "pipe"] }
    )
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => this.output.push(chunk.toString()))
    }
    this.child = child
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Ends the process, and waits until it is gone. Its state stays. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exit = once(child, "exit")
    child.kill(signal)
    const [code] = (await exit) as [number | null]
    return code
  }

  async end(): Promise<void> {
    await this.stop("SIGKILL")
    rmSync(this.state, { recursive: true, force: true })
  }
}
