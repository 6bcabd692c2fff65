import type { Json } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"
import { type PlanStep, progressOf, stepsOf } from "@troupe/domain/session/Plan"

/** The words of a piece of content; of what is kept elsewhere, the beginning. */
export const wordsOf = (content: Content): string =>
  content
    .flatMap((block) => {
      if (block.type === "text") return [block.text]
      if (block.type === "blob") return [`${block.blob.preview}\n… (${block.blob.bytes} bytes in all)`]
      if (block.type === "redacted") return ["(redacted)"]
      return []
    })
    .join("\n")

export const textIn = (input: Json, name: string): string | null => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return null
  const value = (input as Readonly<Record<string, Json>>)[name]
  return typeof value === "string" ? value : null
}

/** The steps of a plan that a call gives. */
export const planIn = (input: Json): ReadonlyArray<PlanStep> | null => {
  const plan = typeof input === "object" && input !== null && "plan" in input ? input["plan"] : null
  return Array.isArray(plan) ? stepsOf(plan as ReadonlyArray<Json>) : null
}

/** The line at which a change of a file begins, as `edit` says it; null where it says none. */
export const firstLineOf = (content: Content): number | null => {
  const [, line] = /, at line (\d+)\.$/.exec(wordsOf(content)) ?? []
  return line === undefined ? null : Number(line)
}

const planText = (steps: ReadonlyArray<PlanStep>): string => {
  const { current, done, total } = progressOf(steps)
  return `${done} of ${total}${current === null ? "" : ` · ${current}`}`
}

/** What a call is about, in one line. */
export const subjectOf = (name: string, input: Json): string => {
  const plan = name === "update_plan" ? planIn(input) : null
  if (plan !== null) return planText(plan)
  const text =
    textIn(input, "command") ??
    textIn(input, "file_path") ??
    textIn(input, "path") ??
    textIn(input, "url") ??
    textIn(input, "query") ??
    textIn(input, "pattern") ??
    textIn(input, "question")
  if (text !== null) return text.replaceAll(/\s+/g, " ").slice(0, 300)
  const json = JSON.stringify(input)
  return json === "{}" || json === undefined ? name : json.slice(0, 300)
}

const languages: Readonly<Record<string, string>> = {
  ts: "typescript",
  tsx: "typescript",
  mts: "typescript",
  js: "javascript",
  mjs: "javascript",
  jsx: "javascript",
  json: "json",
  py: "python",
  sh: "bash",
  yml: "yaml",
  yaml: "yaml",
  md: "markdown",
  css: "css",
  html: "xml",
  svg: "xml",
  sql: "sql",
  go: "go",
  rs: "rust",
  diff: "diff",
  patch: "diff"
}

export const languageOf = (path: string): string => {
  if (/(^|\/)Dockerfile$/.test(path)) return "dockerfile"
  return languages[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "text"
}
