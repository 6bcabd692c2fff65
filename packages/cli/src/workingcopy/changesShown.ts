import type { Troupe } from "@troupe/client"
import { ourName } from "../app/NameConfig.ts"
import { clean } from "../terminal/clean.ts"
import { bold, cyan, dim, green, red } from "../terminal/styles.ts"
import { changesOf } from "./changesOf.ts"
import { patchOfAll } from "./patch.ts"

/** Beyond this nobody reads in a chat. */
const linesMax = 500

const styled = (line: string): string => {
  if (/^(?:diff --git|---|\+\+\+) /.test(line)) return bold(line)
  if (line.startsWith("+")) return green(line)
  if (line.startsWith("-")) return red(line)
  return line.startsWith("@@") ? cyan(line) : line
}

/** What a session changed of its files, as people look at it. */
export const changesShown = async (troupe: Troupe, sessionId: string): Promise<ReadonlyArray<string>> => {
  const { leftOut, text } = patchOfAll((await changesOf(troupe, sessionId)).data)
  if (text === "" && leftOut.length === 0) return [dim("It changed no file.")]
  const lines = clean(text).trimEnd().split("\n")
  return [
    ...lines.slice(0, linesMax).map(styled),
    ...(lines.length > linesMax ? [dim(`… ${lines.length - linesMax} more lines`)] : []),
    ...leftOut.map((path) => dim(`and ${clean(path)}, which is no text`)),
    dim(`To have that here: ${ourName} sessions changes ${sessionId} | git apply`)
  ]
}
