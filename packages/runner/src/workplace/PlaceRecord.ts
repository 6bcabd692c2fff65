import { SandboxId, SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { EnvironmentSnapshot } from "@troupe/domain/session/Opening"
import { Confinement } from "@troupe/domain/tools/Confinement"
import { Effect, Schema } from "effect"
import { errorText } from "../journal/files.ts"
import { Rest } from "./rest.ts"
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync
} from "node:fs"
import { join } from "node:path"

const StoredRest = Schema.fromJsonString(Rest)
const encodeRest = Schema.encodeSync(StoredRest)
const decodeRest = Schema.decodeUnknownSync(StoredRest)
/** Longer than any of them, so that a shorter one leaves nothing of a longer one behind. */
const restBytes = 256

/** What a runner must know of a session's place to find it again after its process has ended. */
export const PlaceRecord = Schema.Struct({
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  sandboxId: SandboxId,
  backend: Schema.String,
  environment: Schema.NullOr(EnvironmentSnapshot),
  /** A directory of the host that is the working copy, in place; null: one of our own. */
  inPlace: Schema.NullOr(Schema.String),
  /** The last checkpoint of the working copy that was captured or restored here. */
  checkpoint: Schema.NullOr(Schema.String),
  /** Whether the sandbox was made: before that, there are directories and nothing else. */
  made: Schema.Boolean,
  /** Whether what the environment's profile has for a fresh sandbox was done in it. */
  hooked: Schema.optionalKey(Schema.Boolean),
  /** Whether the working copy has begun with the archive that its session was given for that. */
  unpacked: Schema.optionalKey(Schema.Boolean),
  /** What it goes without, by the policies of the last attempt here. */
  confinement: Confinement
})
export type PlaceRecord = typeof PlaceRecord.Type

const Stored = Schema.fromJsonString(PlaceRecord)
const encode = Schema.encodeSync(Stored)
const decode = Schema.decodeUnknownSync(Stored)

/** The disk took no record: what changed may be forgotten when the runner ends. */
export class PlaceUnwritable extends Schema.TaggedError<PlaceUnwritable>()("PlaceUnwritable", {
  sessionId: SessionId,
  detail: Schema.String
}) {
  override get message() {
    return `The place of session ${this.sessionId} can't be noted down: ${this.detail}`
  }
}

const suffix = ".json"
const restSuffix = ".rest"

/** The records of all places on this host: a file each, replaced whole, and one beside it that says how each rests. */
export class PlaceRecords {
  private readonly directory: string

  constructor(directory: string) {
    this.directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  private file(sessionId: SessionId): string {
    return join(this.directory, `${sessionId}${suffix}`)
  }

  private restFile(sessionId: SessionId): string {
    return join(this.directory, `${sessionId}${restSuffix}`)
  }

  write(record: PlaceRecord): Effect.Effect<void, PlaceUnwritable> {
    return Effect.try({
      try: () => this.replace(record),
      catch: (cause) => new PlaceUnwritable({ sessionId: record.sessionId, detail: errorText(cause) })
    })
  }

  private replace(record: PlaceRecord): void {
    const file = this.file(record.sessionId)
    const temporary = `${file}.new`
    const descriptor = openSync(temporary, "w", 0o600)
    try {
      writeSync(descriptor, encode(record))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  }

  remove(sessionId: SessionId): void {
    rmSync(this.file(sessionId), { force: true })
    rmSync(this.restFile(sessionId), { force: true })
  }

  /**
   * Each turn says it two or three times, so it is written in place, and synced only on demand: the end of this process
   * takes nothing of it, and after a power cut an older one may stand there, or none that can be read.
   */
  writeRest(sessionId: SessionId, rest: Rest, isSynced: boolean): Effect.Effect<void, PlaceUnwritable> {
    return Effect.try({
      try: () => {
        const file = openSync(this.restFile(sessionId), constants.O_WRONLY | constants.O_CREAT, 0o600)
        try {
          writeSync(file, encodeRest(rest).padEnd(restBytes), 0)
          if (isSynced) fdatasyncSync(file)
        } finally {
          closeSync(file)
        }
      },
      catch: (cause) => new PlaceUnwritable({ sessionId, detail: errorText(cause) })
    })
  }

  /** Null before the first attempt, and where it can't be read: nothing becomes of such a place. */
  rest(sessionId: SessionId): Rest | null {
    try {
      return decodeRest(readFileSync(this.restFile(sessionId), "utf8"))
    } catch {
      return null
    }
  }

  /** Null where there is none, or none that can be read: then there is no place, and a new one is made. */
  read(sessionId: SessionId): PlaceRecord | null {
    try {
      return decode(readFileSync(this.file(sessionId), "utf8"))
    } catch {
      return null
    }
  }

  sessions(): ReadonlyArray<SessionId> {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length) as SessionId)
  }

  all(): ReadonlyArray<PlaceRecord> {
    return this.sessions().flatMap((sessionId) => this.read(sessionId) ?? [])
  }
}
