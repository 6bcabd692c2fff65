import { inputLine } from "../session/toolLine.ts"
import type { ToolResult, ToolUse } from "../session/Transcript.ts"
import { bold, cyan, dim, red } from "../terminal/styles.ts"
import { changedLines } from "./changedLines.ts"
import { resultLine, textIn } from "./resultLine.ts"

/** So many lines of what a call changes are seen at once. */
const seenMax = 8
/** So many calls are kept, to be shown whole. */
const keptMax = 50
/** Beyond this nobody reads in a chat. */
const linesMax = 1_000

interface Folded {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

const oneLine = ({ input, name }: ToolUse) => `${name} ${inputLine(input)}`

/** What tools are used for, and what came of it: in short, and whole for whoever asks. */
export class Calls {
  readonly #begun = new Map<string, ToolUse>()
  readonly #folded: Array<Folded> = []
  #isHinted = false

  /** Answers with the line that stands while it goes on. */
  begins(use: ToolUse): string {
    this.#begun.set(use.id, use)
    return oneLine(use)
  }

  /** Answers with the lines that stay of it. */
  ends(id: string, result: ToolResult): ReadonlyArray<string> {
    const use = this.#begun.get(id)
    if (use === undefined) return []
    this.#begun.delete(id)
    const mark = result.is_error === true ? red("●") : cyan("●")
    const title = `${mark} ${bold(use.name)} ${inputLine(use.input)}`
    const changes = result.is_error === true ? [] : changedLines(use.input)
    const text = textIn(result).trimEnd().split("\n")
    const isFolded = changes.length > seenMax || text.length > 1
    if (isFolded) this.#keep({ title, lines: [...changes, ...text] })
    const seen = changes.slice(0, seenMax).map((line) => `  ${line}`)
    const rest = changes.length > seenMax ? [dim(`  … ${changes.length - seenMax} more lines`)] : []
    return [title, ...seen, ...rest, dim(`${resultLine(result)}${isFolded ? this.#hint() : ""}`)]
  }

  /** The last one that was shown in short, whole; each time the one before it. */
  unfolds(): ReadonlyArray<string> {
    const folded = this.#folded.pop()
    if (folded === undefined) return [dim("Nothing that was shown in short is left to be shown.")]
    const { lines, title } = folded
    const more = lines.length > linesMax ? [dim(`  … ${lines.length - linesMax} more lines`)] : []
    return [title, ...lines.slice(0, linesMax).map((line) => `  ${dim("│")} ${line}`), ...more, ""]
  }

  #keep(folded: Folded): void {
    this.#folded.push(folded)
    if (this.#folded.length > keptMax) this.#folded.shift()
  }

  /** Said once: who knows it need not read it again. */
  #hint(): string {
    if (this.#isHinted) return ""
    this.#isHinted = true
    return " · Ctrl-O shows all"
  }
}
