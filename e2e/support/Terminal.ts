import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import type { Running } from "./Running.ts"
import { ScreenText } from "./ScreenText.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

const patienceMs = 120_000

/** A program in a terminal: keys are typed, and its screen is read. */
export class Terminal {
  readonly running: Running
  readonly #screen: ScreenText
  readonly #device: () => string

  constructor(running: Running, size: Size, device: () => string) {
    this.running = running
    this.#device = device
    this.#screen = new ScreenText(size.columns)
    running.child.stdout!.setEncoding("utf8").on("data", (text: string) => this.#screen.write(text))
  }

  get screen(): string {
    return this.#screen.text
  }

  type(keys: string): void {
    this.running.child.stdin!.write(keys)
  }

  /** Types a line, and presses Enter. */
  enter(line: string): void {
    this.type(`${line}\r`)
  }

  /** Waits until this stands on the screen. */
  async shows(words: string | RegExp): Promise<void> {
    const has = () => (typeof words === "string" ? this.screen.includes(words) : words.test(this.screen))
    const end = performance.now() + patienceMs
    while (!has()) {
      if (this.running.hasEnded()) throw new Error(`It ended before it showed ${words}:\n${this.screen}`)
      if (performance.now() > end) throw new Error(`It did not show ${words}:\n${this.screen}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  resize({ columns, rows }: Size): void {
    this.#screen.columns = columns
    spawnSync("stty", ["-F", this.#device(), "cols", String(columns), "rows", String(rows)])
  }

  /** The program's process, below the one that gives it a terminal. */
  get pid(): number {
    const { pid } = this.running.child
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0])
  }

  /** Waits until the program has ended; answers its exit code. */
  async ended(): Promise<number | null> {
    return (await this.running.end()).code
  }
}
