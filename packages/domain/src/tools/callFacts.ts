import type { BuiltInTool } from "./Toolset.ts"

/** What policies must know of a tool to look at a call of it. */
export interface CallFacts {
  readonly readOnly: boolean
  /** Arguments that are paths, and such that are shell scripts. */
  readonly paths: ReadonlyArray<string>
  readonly scripts: ReadonlyArray<string>
}

const facts = (
  readOnly: boolean,
  paths: ReadonlyArray<string> = [],
  scripts: ReadonlyArray<string> = []
): CallFacts => ({
  readOnly,
  paths,
  scripts
})

/** Of the built-in tools, as runners have them: a test holds both together. */
export const callFacts: Readonly<Record<BuiltInTool, CallFacts>> = {
  bash: facts(false, [], ["command"]),
  read: facts(true, ["file_path"]),
  write: facts(false, ["file_path"]),
  edit: facts(false, ["file_path"]),
  glob: facts(true, ["path"]),
  grep: facts(true, ["path"]),
  web_fetch: facts(true),
  web_search: facts(true)
}
