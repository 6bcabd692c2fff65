import { Effect } from "effect"
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"
import type { Account } from "./Account.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** Work with files; a failure names the path that could not be used. */
export const withPath = <A>(path: string, work: () => A): Effect.Effect<A, EmbeddedPostgresError> =>
  Effect.try({
    try: work,
    catch: (cause) =>
      embeddedPostgresError(
        { _tag: "Unusable", path, detail: cause instanceof Error ? cause.message : String(cause) },
        cause
      )
  })

/**
 * Replaces a file whole, or leaves it as it was. Never follows a link at either name, because root does this in a
 * directory that belongs to another account.
 */
export const writeWhole = (path: string, content: string, options: { mode: number; owner?: Account }): void => {
  const next = `${path}.new`
  rmSync(next, { force: true })
  const file = openSync(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    writeSync(file, content)
    fchmodSync(file, options.mode)
    if (options.owner?.switched === true) fchownSync(file, options.owner.uid, options.owner.gid)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(next, path)
  syncDirectory(dirname(path))
}

/**
 * `mkdir -p`; answers whether the last directory is new. Not Node's recursive one, which never returns where a parent
 * accepts no directories (Node 24, below /proc).
 */
export const makeDirectories = (path: string, mode: number): boolean => {
  if (existsSync(path)) return false
  if (dirname(path) !== path) makeDirectories(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
    return true
  } catch (cause) {
    if (existsSync(path)) return false
    throw cause
  }
}

/** A renamed or new name outlives a power cut only once its directory is on disk. */
export const syncDirectory = (path: string): void => {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Makes the directory for the account alone, or checks that it already is one. */
export const privateDirectory = (path: string, account: Account): void => {
  const made = makeDirectories(path, 0o700)
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    if (made && account.switched) fchownSync(directory, account.uid, account.gid)
  } finally {
    closeSync(directory)
  }
  const { mode, uid } = lstatSync(path)
  if (uid !== account.uid) throw new Error(`it belongs to user ${uid}, not to ${account.name} (${account.uid})`)
  if ((mode & 0o077) !== 0) throw new Error("it is open to other users")
}
