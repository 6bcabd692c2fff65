import { clean } from "../terminal/clean.ts"

const lengthMax = 160

const named = ["command", "path", "file_path", "pattern", "url", "query"] as const

/** What a tool is used for, in one line. */
export const inputLine = (input: unknown): string => {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>
  const name = named.find((one) => typeof given[one] === "string")
  const text = name === undefined ? JSON.stringify(input) : (given[name] as string)
  return clean(text).replaceAll(/\s+/g, " ").trim().slice(0, lengthMax)
}
