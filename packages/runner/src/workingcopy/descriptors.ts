import type { FileKind } from "@troupe/domain/runner/Files"
import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync
} from "node:fs"
import { codeOf } from "./failures.ts"
import { type Name, nameOf } from "./Name.ts"

/**
 * `openat` and its kin for Node, which has none: `/proc/self/fd/N/name` is looked up in the directory that N has open,
 * wherever it was moved to and whatever took its place. Each call goes one name deep and never through a symbolic link.
 */

/** Refers to a file without opening it: looking at a FIFO does not wait, and a device does not notice. Not in Node's list. */
const pathOnly = 0o10000000

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

// oxlint-disable-next-line no-control-regex
const ascii = /^[\x00-\x7f]*$/

/** The path of an entry of an open directory, for calls that do not follow a link at its end. */
export const entryPath = (directory: number, name: string): string | Buffer => {
  const path = `/proc/self/fd/${directory}/${name}`
  return ascii.test(path) ? path : Buffer.from(path, "latin1")
}

/** The path of what a descriptor refers to, itself. */
export const ownPath = (descriptor: number): string => `/proc/self/fd/${descriptor}`

export const openEntry = (directory: number, name: Name): number =>
  openSync(entryPath(directory, name), pathOnly | O_NOFOLLOW)

export const openEntryIfAny = (directory: number, name: Name): number | null => {
  try {
    return openEntry(directory, name)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}

export const openDirectory = (directory: number, name: Name | ".." | "."): number =>
  openSync(entryPath(directory, name), pathOnly | O_NOFOLLOW | O_DIRECTORY)

/** By a path that is ours. Its last part must not be a link. */
export const openOwnDirectory = (path: string): number => openSync(path, pathOnly | O_NOFOLLOW | O_DIRECTORY)

/** Opens what the descriptor refers to, which the caller has seen to be a regular file or a directory. */
export const openForReading = (descriptor: number): number =>
  openSync(ownPath(descriptor), O_RDONLY | O_NONBLOCK | O_NOCTTY)

export const createFile = (directory: number, name: Name): number =>
  openSync(entryPath(directory, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)

export const withDescriptor = <A>(descriptor: number, use: (descriptor: number) => A): A => {
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export const statOf = (descriptor: number): BigIntStats => fstatSync(descriptor, { bigint: true })

export const statEntry = (directory: number, name: Name): BigIntStats =>
  lstatSync(entryPath(directory, name), { bigint: true })

export const readLink = (directory: number, name: Name): string =>
  readlinkSync(entryPath(directory, name), { encoding: "latin1" })

/** Names and kinds of a directory's entries, in no order; kind is null where the file system does not tell it. */
export function* entriesOf(directory: number): Generator<readonly [Name, FileKind | null]> {
  const listing = opendirSync(ownPath(directory), { encoding: "latin1", bufferSize: 256 })
  try {
    for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
      yield [nameOf(entry.name), kindOf(entry)]
    }
  } finally {
    listing.closeSync()
  }
}

export const isEmpty = (directory: number): boolean => {
  for (const _ of entriesOf(directory)) return false
  return true
}

export const kindOf = (entry: Dirent | BigIntStats): FileKind =>
  entry.isFile()
    ? "file"
    : entry.isDirectory()
      ? "directory"
      : entry.isSymbolicLink()
        ? "symlink"
        : entry.isFIFO()
          ? "fifo"
          : entry.isSocket()
            ? "socket"
            : "device"

export interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

export const isSame = (a: Identity, b: Identity): boolean => a.ino === b.ino && a.dev === b.dev
