import { clean } from "../terminal/clean.ts"
import { cut } from "../terminal/width.ts"

const widthMax = 160

interface Answered {
  readonly content?: ReadonlyArray<{ readonly type: string; readonly text?: unknown }> | undefined
}

/** All that a tool answered, in words. */
export const textIn = ({ content }: Answered): string =>
  clean(
    (content ?? []).flatMap((block) => (typeof block.text === "string" ? [block.text] : [`(${block.type})`])).join("\n")
  )

/** The beginning of what a tool answered, and how much more there is. */
export const resultLine = (result: Answered): string => {
  const lines = textIn(result)
    .split("\n")
    .filter((line) => line.trim() !== "")
  const [first] = lines
  if (first === undefined) return "  └ nothing"
  const more = lines.length === 1 ? "" : ` · ${lines.length - 1} more line${lines.length === 2 ? "" : "s"}`
  return `  └ ${cut(first.trim(), widthMax)}${more}`
}
