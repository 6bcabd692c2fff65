import { variables } from "@troupe/domain/Variables"
import { Config, Option, type Redacted, Schema } from "effect"

export interface S3Config {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** What every key begins with: empty, or ending in a slash. */
  readonly prefix: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
}

export type FileStore =
  | { readonly _tag: "Filesystem"; readonly directory: string | null }
  | { readonly _tag: "Postgres" }
  | { readonly _tag: "S3"; readonly s3: S3Config }

export interface FilesConfig {
  /** Where the content of files is kept. Not said: in the database where that is one of others, else below the home. */
  readonly store: Option.Option<FileStore>
  /** The largest file. */
  readonly bytesMax: number
}

const text = (name: string, pattern: RegExp) => Config.schema(Schema.String.check(Schema.isPattern(pattern)), name)

const s3 = Config.all({
  endpoint: text("TROUPE_S3_ENDPOINT", /^https?:\/\/[^\s?#]+$/),
  region: text("TROUPE_S3_REGION", /^[a-z0-9-]+$/).pipe(Config.withDefault(variables.TROUPE_S3_REGION.usual)),
  bucket: text("TROUPE_S3_BUCKET", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  prefix: text("TROUPE_S3_PREFIX", /^([\w.-]+\/)*$/).pipe(Config.withDefault("")),
  accessKeyId: text("TROUPE_S3_ACCESS_KEY_ID", /^\S+$/),
  secretAccessKey: Config.Redacted("TROUPE_S3_SECRET_ACCESS_KEY")
})

const stores = {
  filesystem: Config.option(text("TROUPE_FILES_DIRECTORY", /^\//)).pipe(
    Config.map((directory): FileStore => ({ _tag: "Filesystem", directory: Option.getOrNull(directory) }))
  ),
  postgres: Config.succeed<FileStore>({ _tag: "Postgres" }),
  s3: Config.map(s3, (one): FileStore => ({ _tag: "S3", s3: one }))
}

// What a store that was named lacks is said, and no reason to take another.
const store = Config.option(Config.Literals(["filesystem", "postgres", "s3"], "TROUPE_FILES")).pipe(
  Config.flatMap(
    Option.match({
      onNone: () => Config.succeed(Option.none<FileStore>()),
      onSome: (name) => Config.map(stores[name] as Config.Config<FileStore>, Option.some)
    })
  )
)

const bytesMax = Config.schema(
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 4_096 })),
  "TROUPE_FILE_MAX_MB"
).pipe(
  Config.withDefault(variables.TROUPE_FILE_MAX_MB.usual),
  Config.map((mb) => mb * 1_048_576)
)

export const filesConfig: Config.Config<FilesConfig> = Config.all({ store, bytesMax })
