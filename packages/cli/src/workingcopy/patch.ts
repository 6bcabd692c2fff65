import type { SessionChanges } from "@troupe/client"

type Change = SessionChanges["data"][number]

const modeOf = ({ mode }: { readonly mode: number }) => ((mode & 0o111) === 0 ? "100644" : "100755")

/** Names that a patch would have to quote are left to other ways. */
// oxlint-disable-next-line no-control-regex
const isPlain = (path: string) => !/["\\\x00-\x1f\x7f]/.test(path)

const isFile = (entry: Change["before"]) => entry === null || entry.kind === "file"

/** A change as `git apply` takes it; null where it is no text, or no file. */
const patchOf = ({ after, before, path, text }: Change): string | null => {
  if (text === null || !isFile(before) || !isFile(after) || !isPlain(path)) return null
  const [old, now] = [before === null ? null : modeOf(before), after === null ? null : modeOf(after)]
  const modes =
    old === null
      ? [`new file mode ${now}`]
      : now === null
        ? [`deleted file mode ${old}`]
        : old === now
          ? []
          : [`old mode ${old}`, `new mode ${now}`]
  const head = [`diff --git a/${path} b/${path}`, ...modes].map((line) => `${line}\n`)
  return head.join("") + text
}

/** What git keeps of its own is no change of anybody's files. */
const isGits = (path: string) => path === ".git" || path.startsWith(".git/")

const isOfFile = ({ after, before }: Change) =>
  [before, after].some((entry) => entry !== null && entry.kind !== "directory")

/** What is different in files that are somebody's own. */
export const ownChanges = (changes: ReadonlyArray<Change>): ReadonlyArray<Change> =>
  changes.filter((change) => !isGits(change.path) && isOfFile(change))

interface Patch {
  readonly text: string
  /** What is different and can't be said in a patch: files that are no text, links. */
  readonly leftOut: ReadonlyArray<string>
}

export const patchOfAll = (changes: ReadonlyArray<Change>): Patch => {
  const own = ownChanges(changes).map((change) => ({ path: change.path, patch: patchOf(change) }))
  return {
    text: own.map(({ patch }) => patch ?? "").join(""),
    leftOut: own.flatMap(({ patch, path }) => (patch === null ? [path] : []))
  }
}
