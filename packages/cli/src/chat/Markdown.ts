import { bold, cyan, dim, italic, underline } from "../terminal/styles.ts"

const code = /(`+)(.+?)\1/
const inlines: ReadonlyArray<readonly [RegExp, (text: string) => string]> = [
  [/\*\*(?=\S)(.+?)(?<=\S)\*\*/g, bold],
  [/(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])/g, italic],
  [/(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)/g, italic]
]
const link = /\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)/g

const words = (text: string): string => {
  const linked = text.replaceAll(link, (_, name: string, url: string) => `${underline(name)} ${dim(`(${url})`)}`)
  return inlines.reduce((all, [pattern, style]) => all.replaceAll(pattern, (_, inner: string) => style(inner)), linked)
}

/** What stands in code is code, whatever else it looks like. */
const inline = (text: string): string => {
  const found = code.exec(text)
  if (found === null) return words(text)
  const end = found.index + found[0].length
  return words(text.slice(0, found.index)) + cyan(found[2]!) + inline(text.slice(end))
}

/** Markdown for a terminal, a line at a time as it comes, so that what is shown stays as it is. */
export class Markdown {
  #fence: string | null = null

  line(text: string): string {
    const fence = /^\s*(`{3,}|~{3,})(.*)$/.exec(text)
    if (this.#fence !== null) {
      if (fence !== null && fence[1]!.startsWith(this.#fence) && fence[2]!.trim() === "") {
        this.#fence = null
        return dim("└─")
      }
      return `${dim("│")} ${text}`
    }
    if (fence !== null) {
      this.#fence = fence[1]!
      return dim(`┌─ ${fence[2]!.trim()}`.trimEnd())
    }
    return this.#outside(text)
  }

  /** As `line`, of one that is still being written: it changes nothing. */
  preview(text: string): string {
    const before = this.#fence
    const shown = this.line(text)
    this.#fence = before
    return shown
  }

  /** A new message begins outside of all code. */
  reset(): void {
    this.#fence = null
  }

  #outside(text: string): string {
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(text)
    if (heading !== null) return bold(heading[1]!.length === 1 ? underline(inline(heading[2]!)) : inline(heading[2]!))
    if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(text)) return dim("────────")
    const item = /^(\s*)([-*+])\s+(\[[ xX]\]\s+)?(.*)$/.exec(text)
    if (item !== null) {
      const mark = item[3] === undefined ? "•" : /x/i.test(item[3]) ? "☑" : "☐"
      return `${item[1]}${mark} ${inline(item[4]!)}`
    }
    const quote = /^\s*>\s?(.*)$/.exec(text)
    return quote === null ? inline(text) : `${dim("▏")} ${italic(inline(quote[1]!))}`
  }
}
