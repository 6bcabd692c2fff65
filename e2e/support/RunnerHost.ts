import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compiled } from "../../test/support/compiled.ts"

const main = join(import.meta.dirname, "../../packages/runner/src/main.ts")

export interface RunnerHostOptions {
  readonly servers: ReadonlyArray<string>
  readonly token: string
  /** How people know it; `host`, where it is not said. */
  readonly name?: string
  /** Its state directory, if it is not one of its own. */
  readonly state?: string
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
    this.state = options.state ?? mkdtempSync(join(tmpdir(), "troupe-e2e-runner-"))
    // The accounts of sandboxes pass through it.
    chmodSync(this.state, 0o711)
    mkdirSync(this.temporary, { recursive: true, mode: 0o711 })
    chmodSync(this.temporary, 0o711)
    writeFileSync(join(this.state, "token"), options.token, { mode: 0o600 })
  }

  /** Where it puts what is to be gone when it is. */
  get temporary(): string {
    return join(this.state, "tmp")
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error("The runner does not run")
    return this.child.pid
  }

  isRunning(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null
  }

  /** What it shows nodes, once it is registered. */
  credential(): string | null {
    const file = join(this.state, "identity.json")
    return existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as { readonly credential: string }).credential
      : null
  }

  start(): void {
    const { args = [], env, name = "host", servers } = this.options
    const child = spawn(
      process.execPath,
      [
        main,
        ...servers.flatMap((server) => ["--server", server]),
        ...["--token-file", join(this.state, "token"), "--state", this.state, "--name", name],
        ...args
      ],
      {
        env: { PATH: process.env["PATH"] ?? "", ...compiled, TROUPE_HOME: this.state, TMPDIR: this.temporary, ...env },
        stdio: ["ignore", "pipe", "pipe"]
      }
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
    // What is frozen can't end.
    if (this.isRunning()) this.signal("SIGCONT")
    await this.stop("SIGKILL")
    rmSync(this.state, { recursive: true, force: true })
  }
}
