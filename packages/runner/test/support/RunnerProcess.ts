import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const program = join(import.meta.dirname, "runner-main.ts")

/** A runner as a process of its own, dead when the scope closes. */
export class RunnerProcess {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  output = ""

  /** `piped` is what comes through its descriptors from 3 on. */
  constructor(
    args: ReadonlyArray<string>,
    environment: Readonly<Record<string, string>> = {},
    piped: ReadonlyArray<string> = []
  ) {
    this.child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe", ...piped.map(() => "pipe" as const)],
      env: { ...process.env, ...environment }
    })
    for (const [index, text] of piped.entries()) {
      const pipe = this.child.stdio[index + 3] as NodeJS.WritableStream
      pipe.on("error", () => {})
      pipe.end(text)
    }
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on("data", (chunk: Buffer) => (this.output += chunk.toString()))
    }
    this.exit = once(this.child, "close").then(() => this.child.exitCode)
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  readonly kill: Effect.Effect<void> = Effect.promise(async () => {
    this.child.kill("SIGKILL")
    await this.exit
  })

  get residentKiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, "utf8"))?.[1] ?? 0)
  }
}

export const spawnProcess = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  piped: ReadonlyArray<string> = []
): Effect.Effect<RunnerProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new RunnerProcess(args, environment, piped)),
    (runner) => runner.kill
  )

export const spawnRunner = (options: { state: string; server: string; token?: string; silentMs?: number }) =>
  spawnProcess([program, options.state, options.server, options.token ?? "-", String(options.silentMs ?? 20_000)])
