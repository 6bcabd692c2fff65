import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { withPath, writeWhole } from "./files.ts"

export interface Passwords {
  readonly superuser: Redacted.Redacted
  readonly owner: Redacted.Redacted
  readonly app: Redacted.Redacted
}

export const passwordFile = (home: string, of: keyof Passwords): string => join(home, "postgres", `${of}.password`)

/**
 * Reads the passwords from their files and makes those that are missing. They are written before the cluster is, so an
 * interrupted first start finds them again; a lost one is replaced, in the file here and in the server at its start.
 */
export const loadPasswords = Effect.fn("Passwords.load")(function* (
  home: string
): Effect.fn.Return<Passwords, EmbeddedPostgresError> {
  const load = (of: keyof Passwords) => {
    const path = passwordFile(home, of)
    return withPath(path, () => {
      if (existsSync(path)) {
        chmodSync(path, 0o600)
        const kept = readFileSync(path, "utf8").trim()
        if (/^[\w-]{43}$/.test(kept)) return Redacted.make(kept)
      }
      const made = randomBytes(32).toString("base64url")
      writeWhole(path, `${made}\n`, { mode: 0o600 })
      return Redacted.make(made)
    })
  }
  return { superuser: yield* load("superuser"), owner: yield* load("owner"), app: yield* load("app") }
})
