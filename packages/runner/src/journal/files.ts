import {
  closeSync,
  constants,
  existsSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { dirname } from "node:path"
import { promisify } from "node:util"

const flush = promisify(fsync)

/** A new or renamed file outlives a power cut only once its directory is on disk. */
export const syncDirectory = (path: string): void => {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** The same, without holding up the process. */
export const flushDirectory = async (path: string): Promise<void> => {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await flush(directory)
  } finally {
    closeSync(directory)
  }
}

const create = (path: string): number =>
  openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)

/** Writes a file beside its place. What this answers puts it there, once its content is on disk. */
export const stage = (path: string, content: string): (() => Promise<void>) => {
  const next = `${path}.new`
  const file = create(next)
  try {
    writeFileSync(file, content)
  } catch (cause) {
    closeSync(file)
    throw cause
  }
  return async () => {
    try {
      await flush(file)
    } finally {
      closeSync(file)
    }
    renameSync(next, path)
  }
}

/** Replaces a file whole, or leaves it as it was; for its owner's eyes. */
export const writeWhole = (path: string, content: string | Uint8Array): void => {
  const next = `${path}.new`
  rmSync(next, { force: true })
  const file = create(next)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(next, path)
  syncDirectory(dirname(path))
}

/** `mkdir -p` for the owner alone. Not Node's recursive one, which never returns where a parent takes no directories. */
export const makeDirectories = (path: string): void => {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectories(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    if (!existsSync(path)) throw cause
  }
}

export const errorText = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
