import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { isBirthmarkOf, processesMarked } from "../../packages/runner/src/sandbox/Birthmarks.ts"

const groupRoots = [
  "/sys/fs/cgroup/memory/troupe",
  "/sys/fs/cgroup/pids/troupe",
  "/sys/fs/cgroup/cpu/troupe",
  "/sys/fs/cgroup/troupe"
]

/** The control groups of a sandbox, in whatever version there is. */
export const groupsOf = (sandboxId: string): ReadonlyArray<string> =>
  groupRoots.map((root) => join(root, sandboxId)).filter((path) => existsSync(path))

/** What runs in a sandbox, by its control groups and by what marks all that was ever started in it. */
export const processesOf = (sandboxId: string): ReadonlyArray<number> => {
  const grouped = groupsOf(sandboxId).flatMap((group) =>
    [group, ...subgroups(group)].flatMap((path) =>
      read(join(path, "cgroup.procs")).split("\n").filter(Boolean).map(Number)
    )
  )
  return [...new Set([...grouped, ...processesMarked((mark) => isBirthmarkOf(sandboxId, mark))])]
}

const subgroups = (group: string): ReadonlyArray<string> => {
  try {
    return readdirSync(group, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [join(group, entry.name)] : []
    )
  } catch {
    return []
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/**
 * INV-11: what runners that have ended left behind of these sandboxes. A runner that still has the place of one keeps its
 * group, and nothing in it.
 */
export const leftovers = (sandboxes: ReadonlyArray<string>): ReadonlyArray<string> =>
  sandboxes.flatMap((sandboxId) => [
    ...processesOf(sandboxId).map((pid) => `INV-11: process ${pid} of ${sandboxId} runs`),
    ...groupsOf(sandboxId)
      .flatMap(subgroups)
      .map((path) => `INV-11: ${path} is left`)
  ])

/** Takes the empty groups of sandboxes away that no runner will ever open again. */
export const removeGroups = (sandboxes: ReadonlyArray<string>): void => {
  for (const group of sandboxes.flatMap(groupsOf)) {
    for (const path of [...subgroups(group), group]) {
      try {
        rmdirSync(path)
      } catch {
        // Something is in it, and that is told already.
      }
    }
  }
}
