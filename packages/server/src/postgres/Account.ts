import { Effect } from "effect"
import { readFileSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname } from "node:path"
import { type EmbeddedPostgresError, embeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** The account that Postgres runs as. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** Set for root, as whom Postgres refuses to run: its processes and files then belong to another account. */
  readonly switched: boolean
}

/**
 * Ourselves; for root the owner of an existing data directory, else `postgres`, else `nobody`, which is everywhere.
 * The owner comes first because an account `postgres` may appear (a package brings it) after the directory was made.
 */
export const resolveAccount = Effect.fnUntraced(function* (
  dataOwner: number | undefined
): Effect.fn.Return<Account, EmbeddedPostgresError> {
  const uid = process.getuid?.() ?? -1
  if (uid !== 0) {
    return yield* Effect.try({
      try: () => ({ name: userInfo().username, uid, gid: process.getgid?.() ?? -1, switched: false }),
      // initdb and Postgres look their user up and give up without an entry (containers run as a bare number).
      catch: () => embeddedPostgresError({ _tag: "NoAccount", uid })
    })
  }
  const accounts = knownAccounts()
  const found =
    accounts.find((account) => dataOwner !== undefined && dataOwner !== 0 && account.uid === dataOwner) ??
    accounts.find(({ name }) => name === "postgres") ??
    accounts.find(({ name }) => name === "nobody")
  return found ?? (yield* embeddedPostgresError({ _tag: "NoAccount", uid: 0 }))
})

const knownAccounts = (): ReadonlyArray<Account> => {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .flatMap((line) => {
        const [name, , uid, gid] = line.split(":")
        return name === undefined || uid === undefined || gid === undefined
          ? []
          : [{ name, uid: Number(uid), gid: Number(gid), switched: true }]
      })
  } catch {
    return []
  }
}

/** The first directory on the way to `path` (itself included) that the account may not pass through. */
export const firstUnreachable = (path: string, account: Account): string | undefined => {
  const above = dirname(path)
  const blocked = above === path ? undefined : firstUnreachable(above, account)
  if (blocked !== undefined) return blocked
  const { gid, mode, uid } = statSync(path)
  const execute = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
  return (mode & execute) === 0 ? path : undefined
}

/** What `spawn` needs to run a program as the account; root's other groups are dropped with it. */
export const spawnAs = (account: Account) => (account.switched ? { uid: account.uid, gid: account.gid } : {})
