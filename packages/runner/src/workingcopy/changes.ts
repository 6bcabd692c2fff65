import type { TreeDiff } from "@troupe/domain/runner/Checkpoint"
import { changedPathsMax, type Changes } from "@troupe/domain/session/Changes"

const linesOf = (text: string) => {
  // The first two lines name the files.
  const lines = text.split("\n").slice(2)
  const count = (mark: string) => lines.filter((line) => line.startsWith(mark)).length
  return { added: count("+"), deleted: count("-") }
}

/** What a diff comes to, for those who want to know how much was done before they look at it. */
export const changesOf = ({ changes, isComplete }: TreeDiff): Changes => {
  const files = changes.filter(({ after, before }) =>
    [before, after].some((side) => side !== null && side.kind !== "directory")
  )
  const counted = files.map(({ change, path, text }) => ({
    path,
    change,
    ...(text === null ? { added: null, deleted: null } : linesOf(text))
  }))
  const sum = (of: (one: (typeof counted)[number]) => number | null) =>
    counted.reduce((total, one) => total + (of(one) ?? 0), 0)
  return {
    files: counted.length,
    added: sum(({ added }) => added),
    deleted: sum(({ deleted }) => deleted),
    paths: counted.slice(0, changedPathsMax),
    isComplete
  }
}
