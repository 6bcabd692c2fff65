import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { lineOf } from "../lineOf.ts"

const begun = Date.now()

/** What is told of a story: at once, with the time, and as a page to keep, which has neither times nor ids of one run alone. */
export class Telling {
  private readonly page: Array<string> = []
  private readonly ids = new Map<string, string>()
  private readonly counts = new Map<string, number>()

  chapter(title: string): void {
    this.print(`# ${title}`)
    this.page.push(...(this.page.length === 0 ? [] : ["```", ""]), `## ${title}`, "", "```text")
  }

  /** Something that happens beside the log. */
  note(line: string): void {
    this.print(`- ${line}`)
    this.page.push(this.withoutIds(`- ${line}`))
  }

  event(event: SessionEvent): void {
    const line = lineOf(event)
    if (line === null) return
    this.print(`  ${line}`)
    this.page.push(this.withoutIds(line))
  }

  print(line: string): void {
    console.log(`${((Date.now() - begun) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
  }

  /** All chapters, as Markdown. */
  markdown(): string {
    return [...this.page, "```", ""].join("\n")
  }

  /** Ids by their kind and the order in which they come up, addresses without the port that was free. */
  private withoutIds(line: string): string {
    return line
      .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1")
      .replaceAll(/\b([a-z]{3,12})_[A-Za-z0-9]{20,}\b/g, (id, kind) => {
        const known = this.ids.get(id)
        if (known !== undefined) return known
        const count = (this.counts.get(kind) ?? 0) + 1
        this.counts.set(kind, count)
        this.ids.set(id, `${kind}_${count}`)
        return `${kind}_${count}`
      })
  }
}
