import { Effect, Semaphore } from "effect"
import { closeSync, lstatSync, openSync, rmSync, statSync } from "node:fs"
import { posix } from "node:path"
import { nameOf } from "../../../workingcopy/Name.ts"
import { readAt } from "../../../workingcopy/readFile.ts"
import { openRoot, type Owner, type Root } from "../../../workingcopy/Root.ts"
import { inSlices } from "../../../workingcopy/Slices.ts"
import { writeAll } from "../../../workingcopy/writeFile.ts"
import type { Mount, SandboxError } from "../../Sandbox.ts"
import { attempt, failure } from "../../SandboxFailure.ts"
import { everythingIn, itemOf, type Known, putDirectory, putFile, putLink, setMode, take } from "./HostTree.ts"
import { type Machine, packed } from "./Machine.ts"
import { type Item, pack, unpack } from "./tar.ts"

/** Keeps directories of this host and those of a machine elsewhere the same, by carrying what has changed. */
export interface Mirror {
  /** What has changed here goes there. */
  readonly push: Effect.Effect<void, SandboxError>
  /** What there is to compare with, for whoever asks the machine whether something has changed. */
  readonly compared: () => ReadonlyArray<string>
  /** What has changed there comes here. Answers how much came, and whether there is more than there may be. */
  readonly pull: Effect.Effect<Pulled, SandboxError>
}

export interface Pulled {
  readonly changes: number
  readonly isFull: boolean
}

export interface MirrorOptions {
  readonly backend: string
  readonly machine: Machine
  readonly mounts: ReadonlyArray<Mount>
  /** Of the sandbox; what lies elsewhere and is only to be read does not change. */
  readonly home: string
  /** A file of ours, for what is under way. */
  readonly spool: string
  readonly owner: Owner | null
  readonly bytesMax: number
}

interface Line {
  readonly path: string
  readonly kind: Known["kind"]
  readonly mode: number
  readonly size: number
  readonly modifiedS: number
}

/** At most so much comes in one archive, but for a file that is larger. */
const batchBytesMax = 16 * 1_048_576

export const makeMirror = (options: MirrorOptions): Mirror => {
  const { backend, bytesMax, home, machine, mounts, owner, spool } = options
  const fail = failure(backend)
  const one = Semaphore.makeUnsafe(1)
  const directories = mounts.filter(({ source }) => statSync(source).isDirectory())
  const written = directories.filter(({ readOnly }) => !readOnly)
  const targets = written.map(({ target }) => target)
  const isFixed = ({ readOnly, source }: Mount) => readOnly && !source.startsWith(`${home}/`)

  /** What there was on this host when both sides were last the same, by the machine's path. */
  const here = new Map<string, Known>()
  /** What the machine was given, and has not shown yet. */
  const given = new Map<string, Item>()
  const sizes = new Map<string, number>()
  let acknowledged = "-"
  let isFirst = true
  let before = 0

  const mountOf = (path: string) =>
    directories
      .filter(({ target }) => path.startsWith(`${target}/`))
      .toSorted((a, b) => b.target.length - a.target.length)[0]

  const withRoot = <A, E>(mount: Mount, use: (root: Root, path: (at: string) => string) => Effect.Effect<A, E>) =>
    Effect.scoped(
      Effect.flatMap(openRoot({ root: mount.source, at: mount.target, ...(owner === null ? {} : { owner }) }), (root) =>
        use(root, (at) => at.slice(mount.target.length + 1))
      )
    ).pipe(Effect.mapError((error) => fail({ _tag: "Failed", detail: (error as Error).message }, error)))

  const scan = Effect.fnUntraced(function* (mount: Mount) {
    const found = yield* withRoot(mount, (root) => inSlices(mount.target, () => everythingIn(root)))
    // Lists of names are lines.
    const carried = [...found].filter(([path]) => !path.includes("\n"))
    return carried.map(([path, known]) => [posix.join(mount.target, path), known] as const)
  })

  /** A file that is mounted by itself. */
  const single = (mount: Mount): readonly [string, Known] => {
    const { ino, mtimeMs, size } = lstatSync(mount.source)
    return [mount.target, { kind: "file", version: `${ino}-${size}-${mtimeMs}` }]
  }

  const itemAt = (path: string) => {
    const mount = mountOf(path)
    const alone = mounts.find(({ target }) => target === path)
    const [source, root, below] =
      mount === undefined
        ? [posix.dirname(alone!.source), posix.dirname(path), posix.basename(alone!.source)]
        : [mount.source, mount.target, path.slice(mount.target.length + 1)]
    return { mount: { source, target: root, readOnly: (mount ?? alone)!.readOnly }, below }
  }

  /** What may only be read belongs to the machine's root, where that is who its client is. */
  const whoseAt = (path: string) => (itemAt(path).mount.readOnly ? "root" : "session")

  const give = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
    const byMount = Map.groupBy(paths, (path) => itemAt(path).mount.source)
    for (const some of byMount.values()) {
      const { mount } = itemAt(some[0]!)
      yield* withRoot(mount, (root) => {
        const items = function* () {
          for (const path of some) {
            const found = itemOf(root, itemAt(path).below, nameOf(path))
            if (found === null) continue
            const item = mount.readOnly ? toBeRead(found) : found
            given.set(path, item)
            yield item
          }
        }
        return machine.put("stage", packed(pack(items())))
      })
      const said = (yield* machine.ask("take", whoseAt(some[0]!))).toString("utf8").trim()
      if (!said.endsWith("taken")) {
        return yield* fail({ _tag: "Failed", detail: `its machine could not take the session's files: ${said}` })
      }
    }
  })

  const push = Effect.gen(function* () {
    const now = new Map<string, Known>()
    for (const mount of mounts) {
      if (!isFirst && isFixed(mount)) continue
      const found = directories.includes(mount) ? yield* scan(mount) : [single(mount)]
      for (const [path, known] of found) now.set(path, known)
    }
    const isLookedAt = (path: string) => !mounts.some((mount) => isFixed(mount) && path.startsWith(mount.target))
    const gone = [...here].filter(([path, { kind }]) => isLookedAt(path) && now.get(path)?.kind !== kind)
    const changed = [...now].filter(([path, { version }]) => here.get(path)?.version !== version)
    if (gone.length > 0) {
      for (const [whose, some] of Map.groupBy(gone, ([path]) => whoseAt(path))) {
        yield* machine.put("gone", [listOf(some.map(([path]) => path))])
        yield* machine.ask("drop", whose)
      }
      for (const [path] of gone) here.delete(path)
    }
    if (changed.length > 0) yield* give(changed.map(([path]) => path))
    for (const [path, known] of changed) here.set(path, known)
    isFirst = false
  })

  const apply = Effect.fnUntraced(function* (lines: ReadonlyMap<string, Line>) {
    const wanted = [...lines.values()].filter((line) => line.kind !== "directory" && !isAsGiven(line))
    for (const batch of batches(wanted)) {
      yield* machine.put("want", [listOf(batch.map(({ path }) => path))])
      const spooled = yield* attempt(backend, "no room for what a machine sends", () => openSync(spool, "w+", 0o600))
      yield* Effect.gen(function* () {
        let size = 0
        const take = (page: Uint8Array) => {
          writeAll(spooled, page)
          size += page.length
        }
        // Files may grow while they are read, but not without end.
        const told = batch.reduce((sum, line) => sum + line.size, 0)
        yield* machine.askInPages(["fetch"], take, 2 * told + batchBytesMax)
        const entries = [...unpack(size, (at, length) => readAt(spooled, at, length))]
        const files = new Map(entries.flatMap((entry) => (entry.type === "file" ? [[entry.path, entry] as const] : [])))
        for (const entry of entries) {
          const line = lines.get(entry.path)
          const mount = mountOf(entry.path)
          if (line === undefined || mount === undefined) continue
          const file = entry.type === "link" ? files.get(entry.target) : entry
          if (file === undefined) continue
          const known = yield* withRoot(mount, (root, below) =>
            attempt(backend, entry.path, () =>
              file.type === "symlink"
                ? putLink(root, below(entry.path), file.target)
                : putFile(root, below(entry.path), {
                    mode: line.mode,
                    modifiedS: line.modifiedS,
                    content: piecesOf(spooled, file.at, file.size)
                  })
            )
          )
          here.set(entry.path, known)
        }
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            closeSync(spooled)
            rmSync(spool, { force: true })
          })
        )
      )
    }
  })

  const isAsGiven = (line: Line): boolean => {
    const item = given.get(line.path)
    if (item === undefined) return false
    return (
      item._tag === "File" &&
      line.kind === "file" &&
      item.size === line.size &&
      item.mode === line.mode &&
      item.modifiedS === line.modifiedS
    )
  }

  const onHost = (path: string, use: (root: Root, below: string) => Known | void) => {
    const mount = mountOf(path)
    if (mount === undefined || mount.readOnly) return Effect.void
    return withRoot(mount, (root, below) => attempt(backend, path, () => use(root, below(path)))).pipe(
      Effect.map((known) => {
        if (known === undefined) here.delete(path)
        else here.set(path, known)
      })
    )
  }

  const missing = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
    if (paths.length === 0) return []
    yield* machine.put("want", [listOf(paths)])
    const said = (yield* machine.ask("missing")).toString("latin1")
    return said.split("\n").filter((path) => given.has(path))
  })

  const pull = Effect.gen(function* () {
    if (targets.length === 0) return { changes: 0, isFull: false }
    const { added, id, removed: listed } = readListing(yield* machine.ask("list", acknowledged, ...targets))
    for (const [path, line] of added) sizes.set(path, line.kind === "file" ? line.size : 0)
    for (const path of listed) sizes.delete(path)
    // What was taken away there before it was ever listed.
    const unseen = [...given.keys()].filter((path) => !sizes.has(path) && mountOf(path)?.readOnly === false)
    const removed = [...listed, ...(yield* missing(unseen))]
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
    for (const path of removed) yield* onHost(path, (root, below) => take(root, below))
    const isFull = bytes > bytesMax
    const grew = bytes > before
    before = bytes
    // What does not fit is not acknowledged: it comes once there is room.
    if (isFull) return { changes: removed.length, isFull: grew }
    const made = [...added.values()].filter(({ kind }) => kind === "directory")
    for (const { path } of made) yield* onHost(path, (root, below) => putDirectory(root, below))
    yield* apply(added)
    for (const { mode, path } of made.toReversed()) {
      yield* onHost(path, (root, below) => setMode(root, below, mode | 0o700))
    }
    given.clear()
    acknowledged = id
    return { changes: added.size + removed.length, isFull: false }
  })

  return { compared: () => [acknowledged, ...targets], push: one.withPermits(1)(push), pull: one.withPermits(1)(pull) }
}

/** The session's programs are others than who owns it there. */
const toBeRead = (item: Item): Item =>
  item._tag === "Symlink"
    ? item
    : { ...item, mode: item._tag === "Directory" || (item.mode & 0o111) !== 0 ? 0o555 : 0o444 }

const listOf = (paths: ReadonlyArray<string>): Uint8Array =>
  Buffer.from(paths.map((path) => `${path}\n`).join(""), "latin1")

function* piecesOf(file: number, at: number, size: number): Generator<Uint8Array> {
  for (let done = 0; done < size;) {
    const piece = readAt(file, at + done, Math.min(1_048_576, size - done))
    if (piece.length === 0) return
    yield piece
    done += piece.length
  }
}

function* batches(lines: ReadonlyArray<Line>): Generator<ReadonlyArray<Line>> {
  let batch: Array<Line> = []
  let bytes = 0
  for (const line of lines) {
    if (batch.length > 0 && bytes + line.size > batchBytesMax) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(line)
    bytes += line.size
  }
  if (batch.length > 0) yield batch
}

const kinds: Readonly<Record<number, Known["kind"]>> = { 0o040000: "directory", 0o100000: "file", 0o120000: "symlink" }
const entry = /^([+-])([0-9a-f]+)\/(\d+)\/[^/]*\/([^/]*)\/[^/]*\/(\/.*)$/s

const readListing = (answer: Buffer) => {
  const [id = "", ...rest] = answer.toString("latin1").split("\n")
  const added = new Map<string, Line>()
  const gone: Array<string> = []
  for (const text of rest) {
    const [, sign, mode = "", size = "", modified = "", path = ""] = entry.exec(text) ?? []
    if (sign === undefined) continue
    const bits = Number.parseInt(mode, 16)
    const kind = kinds[bits & 0o170000]
    if (sign === "-") gone.push(path)
    else if (kind !== undefined) {
      added.set(path, { path, kind, mode: bits & 0o777, size: Number(size), modifiedS: seconds(modified) })
    }
  }
  const removed = gone.filter((path) => !added.has(path))
  return { id, added, removed }
}

/** As `stat` says it: `2026-11-22 14:41:52.000000000 +0000`. */
const seconds = (text: string): number => {
  const [, day, time, fraction = "0", hours, minutes] = /^(\S+) ([\d:]+)(?:\.(\d+))? ([+-]\d\d)(\d\d)$/.exec(text) ?? []
  const at = Date.parse(`${day}T${time}${hours}:${minutes}`) / 1_000 + Number(`0.${fraction}`)
  return Number.isFinite(at) ? at : 0
}
