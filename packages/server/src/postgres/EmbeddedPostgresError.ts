import { Schema } from "effect"

const Reason = Schema.TaggedUnion({
  Unsupported: { platform: Schema.String },
  NoAccount: { uid: Schema.Int },
  OtherVersion: { directory: Schema.String, found: Schema.String, expected: Schema.String },
  Claimed: { directory: Schema.String, home: Schema.String },
  Unreachable: { path: Schema.String, account: Schema.String },
  Unusable: { path: Schema.String, detail: Schema.String },
  InitFailed: { output: Schema.String },
  StartFailed: { output: Schema.String },
  StartTimeout: { afterMs: Schema.Int, output: Schema.String },
  StopTimeout: { pid: Schema.Int },
  NotRunning: { home: Schema.String },
  Refused: { detail: Schema.String }
})
export type EmbeddedPostgresReason = typeof Reason.Type

/** Why the embedded database cannot be used; the message says what to do about it. */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  reason: Reason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return Reason.match(this.reason, {
      Unsupported: ({ platform }) =>
        `There are no embedded Postgres binaries for ${platform}. Set DATABASE_URL to a Postgres 15 or newer`,
      NoAccount: ({ uid }) =>
        `Postgres cannot run as user ${uid}, which has no entry in the system's account list. ` +
        "Add one, or set DATABASE_URL",
      OtherVersion: ({ directory, expected, found }) =>
        `${directory} belongs to Postgres ${found}, and this release brings Postgres ${expected}. ` +
        "Start the release that wrote it and export the data, or set DATABASE_URL",
      Claimed: ({ directory, home }) =>
        `${directory} is the database of ${home}. Remove the copied postgres/location file to begin a new database`,
      Unreachable: ({ account, path }) =>
        `The account ${account}, as which Postgres runs, cannot reach ${path}. Allow it with chmod o+x on the ` +
        "directories above",
      Unusable: ({ detail, path }) => `Cannot use ${path}: ${detail}`,
      InitFailed: ({ output }) => `The database directory could not be made:\n${output}`,
      StartFailed: ({ output }) => `Postgres did not start. The end of its log:\n${output}`,
      StartTimeout: ({ afterMs, output }) =>
        `Postgres was not ready after ${afterMs} ms. The end of its log:\n${output}`,
      StopTimeout: ({ pid }) => `Postgres (process ${pid}) could not be stopped`,
      NotRunning: ({ home }) => `No Postgres runs for ${home}: start it with troupe up`,
      Refused: ({ detail }) => `Postgres runs and refuses our connection: ${detail}`
    })
  }
}

export const embeddedPostgresError = (reason: EmbeddedPostgresReason, cause?: unknown): EmbeddedPostgresError =>
  new EmbeddedPostgresError(cause === undefined ? { reason } : { reason, cause })
