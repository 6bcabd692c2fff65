import { clean } from "../terminal/clean.ts"
import { cut } from "../terminal/width.ts"

const widthMax = 160

/** The beginning of what a tool answered, and how much more there is. */
export const resultLine = ({
  content
}: {
  readonly content?: ReadonlyArray<{ readonly type: string; readonly text?: unknown }> | undefined
}): string => {
  const text = (content ?? [])
    .flatMap((block) => (typeof block.text === "string" ? [block.text] : [`(${block.type})`]))
    .join("\n")
  const lines = clean(text)
    .split("\n")
    .filter((line) => line.trim() !== "")
  const [first] = lines
  if (first === undefined) return "  └ nothing"
  const more = lines.length === 1 ? "" : ` · ${lines.length - 1} more line${lines.length === 2 ? "" : "s"}`
  return `  └ ${cut(first.trim(), widthMax)}${more}`
}
