import { setTimeout as pause } from "node:timers/promises"
import { bold, dim } from "../terminal/styles.ts"

const readingMs = 2_500

/** Where the story is told: at the pace of a reader where somebody looks. */
export class Stage {
  readonly #isSeen = process.stdout.isTTY === true
  readonly #since = performance.now()
  #scene = 0

  async says(text: string): Promise<void> {
    const at = `${((performance.now() - this.#since) / 1_000).toFixed(1)} s`
    const line = `${++this.#scene}. ${text}`
    process.stdout.write(this.#isSeen ? `\n${bold(line)} ${dim(at)}\n` : `\n${line} (${at})\n`)
    if (this.#isSeen) await pause(readingMs)
  }

  shows(text: string): void {
    process.stdout.write(`   ${text}\n`)
  }
}
