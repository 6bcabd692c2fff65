import { randomInt } from "node:crypto"
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"

/** As whom the processes of a sandbox run on the host. */
export interface Account {
  readonly uid: number
  readonly gid: number
  /** Set where the runner is root: the sandbox then has a number that no other sandbox and no user of the host has. */
  readonly switched: boolean
}

/** Numbers that neither accounts, containers nor systemd use; a namespace with fewer has its last ones for us. */
const preferred = { first: 1_900_000_000, count: 200_000_000 }

interface Range {
  readonly first: number
  readonly count: number
}

/** The numbers for sandboxes, out of those which exist in our user namespace (`/proc/self/uid_map`). */
export const accountRange = (uidMap: string): Range | undefined => {
  const mapped = uidMap
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([first, , count]) => (first === undefined || count === undefined ? [] : [{ first, count }]))
  const holds = ({ count, first }: Range) =>
    first <= preferred.first && first + count >= preferred.first + preferred.count
  if (mapped.some(holds)) return preferred
  const last = mapped.toSorted((a, b) => b.first - a.first)[0]
  // The last number of 16 bits is nobody's, the one after it means an error.
  return last === undefined || last.count < 8_192 ? undefined : { first: last.first + last.count - 4_096, count: 4_000 }
}

/**
 * Gives a sandbox a number, by a file of that name which only one can make. The file says whose it is; the number is free
 * again once the file is gone. Drawn by lot, because other runners of the host keep registers of their own.
 */
export const claimAccount = (register: string, sandboxId: string): Account => {
  const range = accountRange(readFileSync("/proc/self/uid_map", "utf8"))
  if (range === undefined) throw new Error("this user namespace has no numbers to give to sandboxes")
  for (let tries = 0; tries < range.count; tries++) {
    const uid = range.first + randomInt(range.count)
    if (makeFile(join(register, String(uid)), sandboxId)) return { uid, gid: uid, switched: true }
  }
  throw new Error(`all ${range.count} numbers for sandboxes are taken`)
}

export const releaseAccount = (register: string, account: Account): void => {
  if (account.switched) rmSync(join(register, String(account.uid)), { force: true })
}

const makeFile = (path: string, content: string): boolean => {
  try {
    const file = openSync(path, "wx", 0o600)
    writeSync(file, content)
    closeSync(file)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false
    throw cause
  }
}

export const ownAccount = (): Account => ({
  uid: process.getuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
  switched: false
})

export const isRoot = (): boolean => process.getuid?.() === 0

/** What `spawn` needs to run a program as the account; root's other groups go with it. */
export const spawnAs = (account: Account): { readonly uid?: number; readonly gid?: number } =>
  account.switched ? { uid: account.uid, gid: account.gid } : {}
