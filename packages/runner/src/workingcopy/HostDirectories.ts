import type { FileError } from "@troupe/domain/runner/Files"
import { HostDirectoryUse } from "@troupe/domain/session/HostDirectory"
import type { HostDirectory } from "@troupe/domain/runner/Workplace"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs"
import { basename, dirname } from "node:path"
import { refuse } from "./failures.ts"
import { directoriesIn, findDirectory } from "./findDirectory.ts"
import { openRoot, type Root } from "./Root.ts"
import { attempt, inSlices } from "./Slices.ts"

export type Directory = typeof HostDirectory.Type

export type Use = typeof HostDirectoryUse.Type

export interface HostDirectoriesOptions {
  /** What the runner's owner allows to be seen; nothing where empty. */
  readonly roots: ReadonlyArray<string>
  /** What is never shown, whatever is allowed: the runner's state and Troupe's home. */
  readonly hidden: ReadonlyArray<string>
  /** A file of ours that remembers what was registered. */
  readonly memory: string
}

/** Directories of the runner's own host, as far as its owner allows. */
export class HostDirectories extends Context.Service<
  HostDirectories,
  {
    /** The directories in this one; the allowed roots where null. */
    readonly browse: (path: string | null) => Effect.Effect<ReadonlyArray<Directory>, FileError>
    readonly register: (path: string, use: Use) => Effect.Effect<Directory, FileError>
    /** Where a registered directory is, after making sure that it is still the same one, and still allowed. */
    readonly resolve: (path: string, use: Use) => Effect.Effect<string, FileError>
  }
>()("runner/HostDirectories") {
  static readonly layer = (options: HostDirectoriesOptions): Layer.Layer<HostDirectories, FileError> =>
    Layer.effect(HostDirectories, make(options))
}

const make = Effect.fnUntraced(function* (options: HostDirectoriesOptions) {
  const { memory } = options
  const paths = yield* Effect.forEach(options.roots, (root) => attempt(root, () => realpathSync(root)))
  const roots = yield* Effect.forEach(paths, (root) => openRoot({ root, at: root }))
  const hidden = options.hidden.filter((path) => existsSync(path)).map((path) => realpathSync(path))

  const isHidden = (path: string) => hidden.some((kept) => isWithin(path, kept))
  const rootOf = (path: string): Root => roots.find(({ at }) => isWithin(path, at)) ?? refuse(path, { _tag: "Outside" })

  /** The directory by its own name; what is hidden is as if it were not there. */
  const find = (path: string) => {
    const found = findDirectory(rootOf(path), path)
    return isHidden(found.path) ? refuse(path, { _tag: "NotFound" }) : found
  }

  const shown = (path: string, known: ReadonlyArray<Registered>): Directory => ({
    path,
    name: basename(path) || path,
    registered: known.some((entry) => entry.path === path)
  })

  const browse = Effect.fn("HostDirectories.browse")(function* (path: string | null) {
    const known = yield* attempt("", () => recall(memory))
    if (path === null) return paths.filter((root) => !isHidden(root)).map((root) => shown(root, known))
    const { path: directory } = yield* attempt(path, () => find(path))
    const found = yield* inSlices(path, () => directoriesIn(rootOf(directory), directory))
    return found.filter(({ leadsTo }) => !isHidden(leadsTo)).map((entry) => shown(entry.path, known))
  })

  const register = Effect.fn("HostDirectories.register")(function* (path: string, use: Use) {
    return yield* attempt(path, () => {
      const { dev, ino, path: directory } = find(path)
      if (hidden.some((kept) => isWithin(kept, directory))) {
        refuse(path, { _tag: "Denied", detail: "what the runner keeps to itself is below it" })
      }
      const others = recall(memory).filter((entry) => entry.path !== directory || entry.use !== use)
      const all = [...others, { path: directory, use, dev: String(dev), ino: String(ino) }]
      remember(memory, all)
      return shown(directory, all)
    })
  })

  const resolve = Effect.fn("HostDirectories.resolve")(function* (path: string, use: Use) {
    return yield* attempt(path, () => {
      const entry = recall(memory).find((known) => known.path === path && known.use === use)
      if (entry === undefined) return refuse(path, { _tag: "Denied", detail: "it was not registered for this use" })
      const { dev, ino, path: directory } = find(path)
      const isSame = directory === path && String(dev) === entry.dev && String(ino) === entry.ino
      return isSame ? directory : refuse(path, { _tag: "Stale", detail: "it is another directory by now" })
    })
  })

  return HostDirectories.of({ browse, register, resolve })
})

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

const Registered = Schema.Struct({ path: Schema.String, use: HostDirectoryUse, dev: Schema.String, ino: Schema.String })
type Registered = typeof Registered.Type
const Memory = Schema.fromJsonString(Schema.Array(Registered))

const recall = (memory: string): ReadonlyArray<Registered> =>
  existsSync(memory) ? Option.getOrElse(Schema.decodeUnknownOption(Memory)(readFileSync(memory, "utf8")), () => []) : []

const remember = (memory: string, registered: ReadonlyArray<Registered>): void => {
  mkdirSync(dirname(memory), { recursive: true, mode: 0o700 })
  writeFileSync(`${memory}.new`, Schema.encodeSync(Memory)(registered), { mode: 0o600 })
  renameSync(`${memory}.new`, memory)
}
