import { Schema } from "effect"
import { limits } from "./limits.ts"

const { columnsMax } = limits.grep

const Count = Schema.optionalKey(Schema.Int)
const Flag = Schema.optionalKey(Schema.Boolean)

export const GrepInput = Schema.Struct({
  pattern: Schema.String,
  path: Schema.optionalKey(Schema.String),
  output_mode: Schema.optionalKey(Schema.Literals(["content", "files_with_matches", "count"])),
  glob: Schema.optionalKey(Schema.String),
  type: Schema.optionalKey(Schema.String),
  "-i": Flag,
  "-n": Flag,
  "-A": Count,
  "-B": Count,
  "-C": Count,
  multiline: Flag,
  head_limit: Count
})
export type GrepInput = typeof GrepInput.Type

type Command = readonly [string, ...ReadonlyArray<string>]

const contexts = (input: GrepInput): ReadonlyArray<string> =>
  (["-A", "-B", "-C"] as const).flatMap((flag) => (input[flag] === undefined ? [] : [flag, String(input[flag])]))

const mode = (input: GrepInput) => input.output_mode ?? "files_with_matches"

/** Nothing of the input stands where it could be an option. */
export const rgCommand = (input: GrepInput, path: string): Command => [
  "rg",
  "--no-config",
  "--color=never",
  "--no-heading",
  "--with-filename",
  "--null",
  "--sort=path",
  ...(mode(input) === "files_with_matches" ? ["--files-with-matches"] : []),
  ...(mode(input) === "count" ? ["--count"] : []),
  ...(mode(input) === "content"
    ? [
        input["-n"] === false ? "--no-line-number" : "--line-number",
        `--max-columns=${columnsMax}`,
        "--max-columns-preview"
      ]
    : []),
  ...(mode(input) === "content" ? contexts(input) : []),
  ...(input["-i"] === true ? ["--ignore-case"] : []),
  ...(input.multiline === true ? ["--multiline", "--multiline-dotall"] : []),
  ...(input.glob === undefined ? [] : [`--glob=${input.glob}`]),
  ...(input.type === undefined ? [] : [`--type=${input.type}`]),
  `--regexp=${input.pattern}`,
  "--",
  path
]

/** What stands in where a sandbox has no ripgrep: the same in the common cases, but it knows no .gitignore. */
export const grepCommand = (input: GrepInput, path: string): Command => [
  "grep",
  "-r",
  "-H",
  "-E",
  "-I",
  "-Z",
  "--exclude-dir=.*",
  "--exclude-dir=node_modules",
  ...(mode(input) === "files_with_matches" ? ["-l"] : []),
  ...(mode(input) === "count" ? ["-c"] : []),
  ...(mode(input) === "content" && input["-n"] !== false ? ["-n"] : []),
  ...(mode(input) === "content" ? contexts(input) : []),
  ...(input["-i"] === true ? ["-i"] : []),
  ...namesOf(input).map((name) => `--include=${name}`),
  "-e",
  input.pattern,
  "--",
  path
]

/** What only ripgrep can do. */
export const fallbackProblem = (input: GrepInput): string | null => {
  if (input.multiline === true) return "multiline needs ripgrep, and this sandbox has none."
  if (input.glob?.includes("/") === true)
    return "A glob with a directory needs ripgrep, and this sandbox has none. Use path."
  return input.type !== undefined && !Object.hasOwn(types, input.type)
    ? `The type ${input.type} needs ripgrep, and this sandbox has none. Use glob.`
    : null
}

const namesOf = ({ glob, type }: GrepInput): ReadonlyArray<string> => [
  ...(glob === undefined ? [] : [glob]),
  ...(type === undefined ? [] : (types[type] ?? []))
]

const types: Readonly<Record<string, ReadonlyArray<string>>> = {
  c: ["*.c", "*.h"],
  cpp: ["*.cpp", "*.cc", "*.hpp", "*.h"],
  css: ["*.css", "*.scss"],
  go: ["*.go"],
  html: ["*.html", "*.htm"],
  java: ["*.java"],
  js: ["*.js", "*.jsx", "*.mjs", "*.cjs"],
  json: ["*.json"],
  md: ["*.md", "*.markdown"],
  py: ["*.py", "*.pyi"],
  ruby: ["*.rb"],
  rust: ["*.rs"],
  sh: ["*.sh", "*.bash"],
  ts: ["*.ts", "*.tsx", "*.mts", "*.cts"],
  yaml: ["*.yaml", "*.yml"]
}
