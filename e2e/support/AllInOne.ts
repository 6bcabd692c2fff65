import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compiled } from "../../test/support/compiled.ts"
import { type Ended, Running, until } from "./Running.ts"
import { type Size, Terminal } from "./Terminal.ts"

const root = join(import.meta.dirname, "../..")
const main = join(root, "packages/cli/bin/troupe.mjs")

type Environment = Readonly<Record<string, string>>

export const lives = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

type Child = "node" | "runner" | "postgres"

/** All of Troupe as a person starts it, on a home that is removed at the end with all that still runs there. */
export class AllInOne {
  readonly home = mkdtempSync(join(tmpdir(), "troupe-up-"))
  private readonly environment: Environment

  constructor(environment: Environment = {}) {
    // The accounts of Postgres and of sandboxes pass through it.
    chmodSync(this.home, 0o711)
    this.environment = environment
  }

  private start(command: string, args: ReadonlyArray<string>, environment: Environment, cwd = root): Running {
    return new Running(
      spawn(command, args, {
        cwd,
        env: {
          PATH: process.env["PATH"] ?? "",
          ...compiled,
          HOME: this.home,
          TROUPE_HOME: this.home,
          TROUPE_PORT: "0",
          ...this.environment,
          ...environment
        },
        stdio: [command === "script" ? "pipe" : "ignore", "pipe", "pipe"]
      })
    )
  }

  run(args: ReadonlyArray<string>, environment: Environment = {}): Running {
    return this.start(process.execPath, [main, ...args], environment)
  }

  runIn(directory: string, args: ReadonlyArray<string>): Running {
    return this.start(process.execPath, [main, ...args], {}, directory)
  }

  /** The same behind another program, which runs it somewhere else. */
  behind(
    words: readonly [string, ...ReadonlyArray<string>],
    args: ReadonlyArray<string>,
    environment: Environment = {}
  ) {
    const [command, ...rest] = words
    return this.start(command, [...rest, process.execPath, main, ...args], environment)
  }

  /** A program of the repository by its file, or any by its words. */
  program(what: string | readonly [string, ...ReadonlyArray<string>]): Running {
    if (typeof what === "string") return this.start(process.execPath, [join(root, what)], {})
    const [command, ...args] = what
    return this.start(command, args, {})
  }

  /** A command in a terminal of its own, as wide and as high as it says. */
  terminal(args: ReadonlyArray<string>, size: Size, environment: Environment = {}): Terminal {
    const words = [process.execPath, main, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")
    const command = `stty cols ${size.columns} rows ${size.rows}; tty > "$TROUPE_HOME/tty"; exec ${words}`
    const child = this.start("script", ["-qfec", command, "/dev/null"], { TERM: "xterm-256color", ...environment })
    return new Terminal(child, size, () => readFileSync(join(this.home, "tty"), "utf8").trim())
  }

  npm(args: ReadonlyArray<string>, environment: Environment = {}): Running {
    return this.start("npm", args, environment)
  }

  ended(args: ReadonlyArray<string>, environment: Environment = {}): Promise<Ended> {
    return this.run(args, environment).end()
  }

  async up(environment: Environment = {}): Promise<Running> {
    const running = this.run(["up"], environment)
    await running.says("Ctrl-C stops it.")
    return running
  }

  get url(): string {
    return this.record("node")!.url
  }

  get key(): string {
    return readFileSync(join(this.home, "api_key"), "utf8").trim()
  }

  /** An agent with all built-in tools; answers its id. */
  async makeAgent(name: string, type: "always_allow" | "always_ask"): Promise<string> {
    const { key } = this
    const answer = await fetch(`${this.url}/v1/agents`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({
        name,
        model: "demo",
        tools: [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type } } }]
      })
    })
    return ((await answer.json()) as { readonly id: string }).id
  }

  /** The process of a part, while it lives. */
  pid(part: Child): number | null {
    const pid = part === "postgres" ? this.postmaster() : this.record(part)?.pid
    return pid !== undefined && lives(pid) ? pid : null
  }

  pids(): Readonly<Record<Child, number | null>> {
    return { node: this.pid("node"), runner: this.pid("runner"), postgres: this.pid("postgres") }
  }

  async ready(): Promise<boolean> {
    const url = this.record("node")?.url
    if (url === undefined) return false
    return await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ status }) => status === 200,
      () => false
    )
  }

  /** Waits until a part runs in another process than before, and all can be used. */
  async replaced(part: Child, before: number): Promise<number> {
    await until(`another ${part} runs`, () => ![null, before].includes(this.pid(part)))
    await until(`Troupe is ready with another ${part}`, () => this.ready())
    return this.pid(part)!
  }

  log(name: string): string {
    return readFileSync(join(this.home, "logs", `${name}.log`), "utf8")
  }

  /** Ends all that runs here, however the test ended, and removes the home. */
  async remove(): Promise<void> {
    const supervisor = this.json(join(this.home, "lock.json"))?.pid
    if (supervisor !== undefined && lives(supervisor)) process.kill(supervisor, "SIGKILL")
    await until("nothing runs there", () => {
      const left = Object.values(this.pids()).filter((pid) => pid !== null)
      for (const pid of left) process.kill(pid, "SIGKILL")
      return left.length === 0
    })
    await until("the home is removed", () => {
      try {
        rmSync(this.home, { recursive: true, force: true })
        return true
      } catch {
        return false
      }
    })
  }

  private record(part: "node" | "runner") {
    return this.json(join(this.home, "run", `${part}.json`))
  }

  private json(file: string): { readonly pid: number; readonly url: string } | undefined {
    try {
      return JSON.parse(readFileSync(file, "utf8"))
    } catch {
      return undefined
    }
  }

  private postmaster(): number | undefined {
    const base = join(this.home, "postgres")
    if (!existsSync(base)) return undefined
    const major = readdirSync(base).find((name) => /^\d+$/.test(name))
    const file = join(base, major ?? "", "postmaster.pid")
    return major !== undefined && existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined
  }
}
