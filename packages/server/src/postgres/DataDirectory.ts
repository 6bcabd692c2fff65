import { Effect } from "effect"
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Account, firstUnreachable, resolveAccount } from "./Account.ts"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { makeDirectories, privateDirectory, withPath, writeWhole } from "./files.ts"

export interface DataDirectory {
  readonly account: Account
  /** Holds one directory per major version. `TROUPE_HOME/postgres`, unless the account cannot reach that. */
  readonly base: string
  readonly data: string
  readonly major: string
  readonly exists: boolean
}

const defaultRootStore = "/var/lib/troupe"

/**
 * Finds where the data is, or will be.
 *
 * As root Postgres runs as another account, which cannot pass through a private home (`/root` is 0700), and we do not
 * open what is private. The data then lives in `/var/lib/troupe/<hash>`, and `TROUPE_HOME/postgres/location` says so.
 * The file decides once it exists, so that the data stays where it is when permissions change or the home is renamed.
 * The place records its home in turn: a copy of a home must not take the original's database for its own.
 */
export const locate = Effect.fn("DataDirectory.locate")(function* (
  home: string,
  major: string,
  rootStore = defaultRootStore
): Effect.fn.Return<DataDirectory, EmbeddedPostgresError> {
  const inHome = join(home, "postgres")
  const pointer = join(inHome, "location")
  yield* withPath(inHome, () => makeDirectories(inHome, process.getuid?.() === 0 ? 0o711 : 0o700))

  const settled = yield* withPath(pointer, () =>
    existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : existsSync(join(inHome, major)) ? inHome : undefined
  )
  const owner = yield* withPath(inHome, () => {
    const data = join(settled ?? inHome, major)
    return existsSync(data) ? lstatSync(data).uid : undefined
  })
  const account = yield* resolveAccount(owner)
  const unreachable = yield* withPath(inHome, () => (account.switched ? firstUnreachable(inHome, account) : undefined))

  const base = settled ?? (unreachable === undefined ? inHome : join(rootStore, shortHash(home)))
  if (base === inHome) {
    if (unreachable !== undefined) {
      return yield* embeddedPostgresError({ _tag: "Unreachable", path: unreachable, account: account.name })
    }
  } else {
    yield* withPath(base, () => makeDirectories(base, 0o711))
    const blocked = yield* withPath(base, () => firstUnreachable(base, account))
    if (blocked !== undefined) {
      return yield* embeddedPostgresError({ _tag: "Unreachable", path: blocked, account: account.name })
    }
    yield* claim(base, home)
    if (settled === undefined) yield* withPath(pointer, () => writeWhole(pointer, `${base}\n`, { mode: 0o644 }))
  }

  const data = join(base, major)
  yield* checkVersion(base, data, major)
  return { account, base, data, major, exists: existsSync(data) }
})

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12)

const claim = Effect.fnUntraced(function* (base: string, home: string) {
  const record = join(base, "home")
  const recorded = yield* withPath(record, () => (existsSync(record) ? readFileSync(record, "utf8").trim() : undefined))
  if (recorded === home) return
  if (recorded !== undefined && existsSync(join(recorded, "postgres/location"))) {
    return yield* embeddedPostgresError({ _tag: "Claimed", directory: base, home: recorded })
  }
  yield* withPath(record, () => writeWhole(record, `${home}\n`, { mode: 0o644 }))
})

// A directory appears under its final name only when complete, so a PG_VERSION that is missing or foreign is an error
// for a person to look at, and never something to repair by deleting.
const checkVersion = Effect.fnUntraced(function* (base: string, data: string, expected: string) {
  const wrong = (directory: string, found: string) =>
    embeddedPostgresError({ _tag: "OtherVersion", directory, found, expected })
  if (existsSync(data)) {
    const found = yield* withPath(data, () => readFileSync(join(data, "PG_VERSION"), "utf8").trim())
    if (found !== expected) return yield* wrong(data, found)
    return
  }
  const other = yield* withPath(base, () => readdirSync(base).find((name) => /^\d+$/.test(name)))
  if (other !== undefined) return yield* wrong(join(base, other), other)
})

const socketPathBytesMax = 107

/** A directory for the unix socket whose full path fits the operating system's limit. */
export const socketDirectory = ({ account, base }: DataDirectory): Effect.Effect<string, EmbeddedPostgresError> => {
  const fits = (directory: string) => Buffer.byteLength(join(directory, ".s.PGSQL.65535")) <= socketPathBytesMax
  const short = `troupe-${shortHash(realpathSync(base))}`
  const directory = [join(base, "run"), join(tmpdir(), short)].find(fits) ?? join("/tmp", short)
  return withPath(directory, () => {
    privateDirectory(directory, account)
    return realpathSync(directory)
  })
}
