import { system } from "@troupe/domain/Actor"
import { scopes } from "@troupe/domain/api/Workspace"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { mint } from "../runners/TokenSecret.ts"
import { Tokens } from "../runners/Tokens.ts"
import { Workspaces } from "../workspace/Workspaces.ts"

/** The file with the first key can't be read or written. */
export class KeyFileUnusable extends Schema.TaggedError<KeyFileUnusable>()("KeyFileUnusable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.file} can't be used: ${this.detail}; name a key in TROUPE_API_KEY instead`
  }
}

/** The key of before, or one that is made now and kept where only its owner reads it. */
const fromFile = (home: string) => {
  const file = join(home, "api_key")
  return Effect.try({
    try: () => {
      if (existsSync(file)) return { key: Redacted.make(readFileSync(file, "utf8").trim()), file, made: false }
      const key = mint("api_key")
      mkdirSync(home, { recursive: true, mode: 0o700 })
      // Nodes that start together: the first one to write has it.
      writeFileSync(file, `${Redacted.value(key)}\n`, { mode: 0o600, flag: "wx" })
      chmodSync(file, 0o600)
      return { key, file, made: true }
    },
    catch: (cause) => new KeyFileUnusable({ file, detail: cause instanceof Error ? cause.message : String(cause) })
  }).pipe(Effect.retry({ times: 3, while: ({ detail }) => detail.includes("EEXIST") }))
}

/** The first key of the first workspace: with it, all others are made. */
export const layer = (home: string, given: Option.Option<Redacted.Redacted>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const tokens = yield* Tokens
      const workspaceId = yield* workspaces.first
      const { file, key, made } = Option.isSome(given)
        ? { key: given.value, file: "", made: false }
        : yield* fromFile(home)
      yield* tokens.ensure(
        { workspaceId, kind: "api_key", name: "bootstrap", labels: [], scopes: [...scopes], secret: key },
        system
      )
      if (made) yield* Effect.logInfo("An API key was made").pipe(Effect.annotateLogs({ file }))
    })
  )
