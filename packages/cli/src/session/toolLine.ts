import { progressOf, stepsOf } from "@troupe/domain/session/Plan"
import { clean } from "../terminal/clean.ts"

const lengthMax = 160

const named = ["command", "path", "file_path", "pattern", "url", "query", "question"] as const

const planLine = (plan: Parameters<typeof stepsOf>[0]): string => {
  const { current, done, total } = progressOf(stepsOf(plan))
  return `${done}/${total}${current === null ? "" : ` · ${current}`}`
}

/** What a tool is used for, in one line. */
export const inputLine = (input: unknown): string => {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>
  const name = named.find((one) => typeof given[one] === "string")
  const plan = given["plan"]
  const text =
    name !== undefined ? (given[name] as string) : Array.isArray(plan) ? planLine(plan) : JSON.stringify(input)
  return clean(text).replaceAll(/\s+/g, " ").trim().slice(0, lengthMax)
}
