import type { SandboxSize } from "@troupe/domain/environment/EnvironmentConfig"
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"

type Controller = "memory" | "pids" | "cpu"
const controllers: ReadonlyArray<Controller> = ["memory", "pids", "cpu"]

/** Where this process may make groups: for version 1 a directory for each controller, for version 2 one for all. */
export type CgroupHost =
  | { readonly version: 1; readonly parents: Readonly<Record<Controller, string>> }
  | { readonly version: 2; readonly parent: string }

const isWritable = (path: string) => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

const has = (path: string, words: ReadonlyArray<string>) => {
  const found = read(path)?.trim().split(/\s+/) ?? []
  return words.every((word) => found.includes(word))
}

/** The group this process is in, in version 2's tree (`/proc/self/cgroup`). */
const ownGroup = (root: string) => {
  const line = read("/proc/self/cgroup")
    ?.split("\n")
    .find((text) => text.startsWith("0::"))
  return line === undefined ? undefined : join(root, line.slice(3))
}

/**
 * Finds where groups can be made. In version 2 that is below the root for root, and else beside ourselves, where systemd
 * delegates: a group that has processes cannot hand its controllers on, so not below ourselves.
 */
export const findCgroups = (root = "/sys/fs/cgroup", beside = ownGroup(root)): CgroupHost | undefined => {
  if (existsSync(join(root, "cgroup.controllers"))) {
    return [root, ...(beside === undefined ? [] : [dirname(beside)])]
      .filter((parent) => parent.startsWith(root) && isWritable(parent))
      .filter((parent) => handsOn(parent))
      .map((parent) => ({ version: 2 as const, parent: join(parent, "troupe") }))[0]
  }
  const parents = controllers.map((controller) => join(root, controller))
  return parents.every((parent) => existsSync(join(parent, "cgroup.procs")) && isWritable(parent))
    ? {
        version: 1,
        parents: {
          memory: join(root, "memory/troupe"),
          pids: join(root, "pids/troupe"),
          cpu: join(root, "cpu/troupe")
        }
      }
    : undefined
}

const handsOn = (parent: string): boolean => {
  const file = join(parent, "cgroup.subtree_control")
  if (has(file, controllers)) return true
  try {
    writeFileSync(file, controllers.map((controller) => `+${controller}`).join(" "))
    return true
  } catch {
    return false
  }
}

const periodMicroseconds = 100_000

/** The files that hold a sandbox to its size. Swap counts as memory, where the kernel can tell. */
const limitFiles = (version: 1 | 2, size: SandboxSize) => {
  const memory = String(size.memoryMb * 1_048_576)
  const quota = String(Math.max(1_000, Math.round(size.cpus * periodMicroseconds)))
  return version === 2
    ? [
        ["memory", "memory.max", memory, true],
        ["memory", "memory.swap.max", "0", false],
        ["pids", "pids.max", String(size.processes), true],
        ["cpu", "cpu.max", `${quota} ${periodMicroseconds}`, true]
      ]
    : [
        ["memory", "memory.limit_in_bytes", memory, true],
        ["memory", "memory.memsw.limit_in_bytes", memory, false],
        ["pids", "pids.max", String(size.processes), true],
        ["cpu", "cpu.cfs_period_us", String(periodMicroseconds), true],
        ["cpu", "cpu.cfs_quota_us", quota, true]
      ]
}

/** The group of one exec, inside the group of its sandbox. */
export interface Leaf {
  readonly join: (pid: number) => void
  readonly processes: () => ReadonlyArray<number>
  /** Processes of this exec that the kernel ended for want of memory. */
  readonly outOfMemoryKills: () => number
  /** Ends all that is in it. Nothing can be started in it any more, so that even a fork bomb comes to its end. */
  readonly kill: () => void
  /** Answers whether it is gone: while something is still in it, it cannot be. */
  readonly remove: () => boolean
}

/** The group of one sandbox, with its limits. */
export interface Cgroup {
  readonly leaf: (name: string) => Leaf
  /** Ends and removes what is in it, and then itself; answers whether nothing is left. */
  readonly remove: () => boolean
}

const directoryOf = (host: CgroupHost, controller: Controller) =>
  host.version === 1 ? host.parents[controller] : host.parent

/** Every directory that one group has: one, or one for each controller. */
const directories = (host: CgroupHost, ...names: ReadonlyArray<string>) => [
  ...new Set(controllers.map((controller) => join(directoryOf(host, controller), ...names)))
]

const makeDirectory = (path: string, version: 1 | 2, handOn: boolean) => {
  mkdirSync(path, { recursive: true })
  if (version === 2 && handOn) {
    writeFileSync(join(path, "cgroup.subtree_control"), controllers.map((controller) => `+${controller}`).join(" "))
  }
}

/** Whether what was found can be used, by making a group for nobody. Containers often show files that nothing comes of. */
export const cgroupsThatWork = (host: CgroupHost | undefined): CgroupHost | undefined => {
  if (host === undefined) return undefined
  try {
    const trial = openCgroup(host, `trial-${process.pid}`, { cpus: 1, memoryMb: 64, diskMb: 16, processes: 8 })
    trial.leaf("exec-0")
    return trial.remove() ? host : undefined
  } catch {
    return undefined
  }
}

export const openCgroup = (host: CgroupHost, name: string, size: SandboxSize): Cgroup => {
  try {
    return makeCgroup(host, name, size)
  } catch (cause) {
    // Another runner has just taken our common directory away with its last sandbox.
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause
    return makeCgroup(host, name, size)
  }
}

const makeCgroup = (host: CgroupHost, name: string, size: SandboxSize): Cgroup => {
  for (const path of directories(host)) makeDirectory(path, host.version, true)
  for (const path of directories(host, name)) makeDirectory(path, host.version, true)
  for (const [controller, file, value, needed] of limitFiles(host.version, size)) {
    const path = join(directoryOf(host, controller as Controller), name, file as string)
    if (existsSync(path) || needed) writeFileSync(path, value as string)
  }
  return { leaf: (leafName) => openLeaf(host, [name, leafName]), remove: () => removeGroup(host, name) }
}

const openLeaf = (host: CgroupHost, names: ReadonlyArray<string>): Leaf => {
  const paths = directories(host, ...names)
  for (const path of paths) makeDirectory(path, host.version, false)
  return {
    join: (pid) => {
      for (const path of paths) writeFileSync(join(path, "cgroup.procs"), String(pid))
    },
    processes: () => processesOf(paths),
    outOfMemoryKills: () => {
      const file = host.version === 1 ? "memory.oom_control" : "memory.events"
      const text = read(join(directoryOf(host, "memory"), ...names, file)) ?? ""
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
    },
    kill: () => killGroup(host, names),
    remove: () => paths.every(removeDirectory)
  }
}

const processesOf = (paths: ReadonlyArray<string>) => [
  ...new Set(
    paths.flatMap((path) =>
      (read(join(path, "cgroup.procs")) ?? "")
        .split("\n")
        .map(Number)
        // Zero is a process that our own namespace does not have.
        .filter((pid) => pid > 0)
    )
  )
]

const killGroup = (host: CgroupHost, names: ReadonlyArray<string>) => {
  tryWrite(join(directoryOf(host, "pids"), ...names, "pids.max"), "0")
  if (host.version === 2) tryWrite(join(host.parent, ...names, "cgroup.kill"), "1")
  for (const pid of processesOf(directories(host, ...names))) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // It ended in between.
    }
  }
}

const tryWrite = (path: string, value: string) => {
  try {
    writeFileSync(path, value)
  } catch {
    // Its group is gone, or the kernel is older than the file.
  }
}

const removeDirectory = (path: string) => {
  try {
    rmdirSync(path)
    return true
  } catch {
    return !existsSync(path)
  }
}

const subgroups = (path: string) => {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

const removeGroup = (host: CgroupHost, name: string): boolean => {
  const paths = directories(host, name)
  const leaves = new Set(paths.flatMap(subgroups))
  for (const leaf of leaves) {
    killGroup(host, [name, leaf])
    for (const path of directories(host, name, leaf)) removeDirectory(path)
  }
  const gone = paths.every(removeDirectory)
  // The last sandbox takes our own directory with it; where another one is, it stays.
  if (gone) for (const path of directories(host)) removeDirectory(path)
  return gone
}
