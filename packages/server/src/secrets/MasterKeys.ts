import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { hash, hkdfSync, randomBytes } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The key that stored secrets are sealed with can't be had. */
export class MasterKeyUnusable extends Schema.TaggedError<MasterKeyUnusable>()("MasterKeyUnusable", {
  source: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.source} can't be used: ${this.detail}`
  }
}

export interface MasterKey {
  /** Says which key sealed something, and nothing about the key. */
  readonly keyId: string
  readonly bytes: Uint8Array
}

/** The keys of stored secrets: the first one seals, any of them opens. */
export class MasterKeys extends Context.Service<
  MasterKeys,
  { readonly all: Effect.Effect<readonly [MasterKey, ...ReadonlyArray<MasterKey>], MasterKeyUnusable> }
>()("server/MasterKeys") {
  /** As configured, several parted by commas; else from the home, where one is made when it is first needed. */
  static readonly layer = (
    home: string,
    given: Option.Option<Redacted.Redacted>
  ): Layer.Layer<MasterKeys, MasterKeyUnusable> =>
    Layer.effect(
      MasterKeys,
      Option.match(given, {
        onNone: () => Effect.map(Effect.cached(fromFile(home)), (all) => MasterKeys.of({ all })),
        onSome: (keys) =>
          Effect.map(parse("TROUPE_MASTER_KEY", Redacted.value(keys)), (all) =>
            MasterKeys.of({ all: Effect.succeed(all) })
          )
      })
    )
}

/** Short ones could be guessed by whoever has a copy of the database. */
const lengthMin = 32

const keyOf = (text: string): MasterKey => ({
  keyId: hash("sha256", `troupe key id\n${text}`, "hex").slice(0, 16),
  bytes: new Uint8Array(hkdfSync("sha256", text, "", "troupe stored secrets", 32))
})

const parse = Effect.fnUntraced(function* (source: string, text: string) {
  const [first, ...rest] = text.split(",").map((one) => one.trim())
  if (first === undefined || [first, ...rest].some((one) => one.length < lengthMin)) {
    return yield* new MasterKeyUnusable({ source, detail: `a key has at least ${lengthMin} characters` })
  }
  return [keyOf(first), ...rest.map(keyOf)] as const
})

const fromFile = (home: string) => {
  const file = join(home, "master_key")
  return Effect.try({
    try: () => {
      if (existsSync(file)) return readFileSync(file, "utf8").trim()
      const key = randomBytes(32).toString("base64url")
      mkdirSync(home, { recursive: true, mode: 0o700 })
      // Nodes that start together: the first one to write has it.
      writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" })
      chmodSync(file, 0o600)
      return key
    },
    catch: (cause) =>
      new MasterKeyUnusable({ source: file, detail: cause instanceof Error ? cause.message : String(cause) })
  }).pipe(
    Effect.retry({ times: 3, while: ({ detail }) => detail.includes("EEXIST") }),
    Effect.flatMap((text) => parse(file, text))
  )
}
