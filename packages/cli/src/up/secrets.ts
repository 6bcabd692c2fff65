import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { detailOf, HomeUnusable, makeDirectory, replace } from "./Home.ts"

/** Reads a secret from its file, for its owner's eyes, or makes one there. */
export const keptSecret = (file: string, prefix: string): Effect.Effect<Redacted.Redacted, HomeUnusable> =>
  Effect.try({
    try: () => {
      if (existsSync(file)) {
        chmodSync(file, 0o600)
        const kept = readFileSync(file, "utf8").trim()
        if (kept.length >= 32) return Redacted.make(kept)
      }
      const made = `${prefix}${randomBytes(32).toString("base64url")}`
      makeDirectory(dirname(file))
      replace(file, `${made}\n`)
      return Redacted.make(made)
    },
    catch: (cause) => new HomeUnusable({ home: file, detail: detailOf(cause) })
  })
