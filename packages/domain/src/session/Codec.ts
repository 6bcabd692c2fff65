import { Result, Schema } from "effect"
import type { ThreadId } from "../Ids.ts"
import type { Recorded } from "../log/Envelope.ts"
import { SessionEvent, type SessionEventTag } from "./SessionEvent.ts"

/** The log holds something that this release can't read, and where. */
export class LogUnreadable extends Schema.TaggedError<LogUnreadable>()("LogUnreadable", {
  streamId: Schema.String,
  seq: Schema.Int,
  reason: Schema.TaggedUnion({
    /** Written by a newer release: nothing after it can be understood. */
    UnknownType: { type: Schema.String },
    NewerVersion: { type: Schema.String, version: Schema.Int, known: Schema.Int },
    Corrupt: { detail: Schema.String }
  })
}) {
  override get message() {
    const { reason } = this
    const detail =
      reason._tag === "UnknownType"
        ? `the type ${reason.type} is not known here`
        : reason._tag === "NewerVersion"
          ? `version ${reason.version} of ${reason.type} is newer than ${reason.known}`
          : reason.detail
    return `Event ${this.seq} of ${this.streamId} can't be read: ${detail}`
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Turns the fields of one schema version into those of the next. */
export type Upcaster = (fields: Fields) => Fields

/** The versions of one event type: upcasters from version 1 up; the newest is what is written. */
export interface EventVersions {
  readonly upcasters: ReadonlyArray<Upcaster>
}

export const currentVersion = (versions: EventVersions | undefined): number => (versions?.upcasters.length ?? 0) + 1

/** Types whose shape has changed since their first release. All others are at version 1. */
export const history: Partial<Record<SessionEventTag, EventVersions>> = {}

const known: ReadonlySet<string> = new Set(Object.keys(SessionEvent.cases))
const decoders = new Map<string, (input: unknown) => Result.Result<SessionEvent, Schema.SchemaError>>()

const decoder = (type: string) => {
  const made = decoders.get(type)
  if (made !== undefined) return made
  const schema = SessionEvent.cases[type as SessionEventTag] as unknown as Schema.Codec<SessionEvent>
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })
  decoders.set(type, decode as never)
  return decode as never as (input: unknown) => Result.Result<SessionEvent, Schema.SchemaError>
}

export interface Encoded {
  readonly type: string
  readonly version: number
  readonly threadId: ThreadId | null
  readonly payload: string
}

/** An event as the log stores it. Decided events are well typed already, so nothing is validated here. */
export const encode = (event: SessionEvent): Encoded => {
  const { _tag, ...fields } = event
  const threadId = "threadId" in event && _tag !== "SessionOpened" ? event.threadId : null
  return { type: _tag, version: currentVersion(history[_tag]), threadId, payload: JSON.stringify(fields) }
}

const read = (recorded: Recorded, versions: typeof history): Result.Result<Fields, LogUnreadable> => {
  const { payload, seq, streamId, type, version } = recorded
  const fail = (reason: LogUnreadable["reason"]) => Result.fail(new LogUnreadable({ streamId, seq, reason }))
  if (!known.has(type)) return fail({ _tag: "UnknownType", type })
  const upcasters = versions[type as SessionEventTag]?.upcasters ?? []
  const newest = upcasters.length + 1
  if (version > newest) return fail({ _tag: "NewerVersion", type, version, known: newest })
  if (payload === null) return fail({ _tag: "Corrupt", detail: "the payload is missing" })
  let fields: unknown
  try {
    fields = JSON.parse(payload)
  } catch {
    return fail({ _tag: "Corrupt", detail: "the payload is not JSON" })
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return fail({ _tag: "Corrupt", detail: "the payload is not an object" })
  }
  let shaped = fields as Fields
  for (const upcast of upcasters.slice(version - 1)) shaped = upcast(shaped)
  return Result.succeed(shaped)
}

/**
 * Reads an event of our own log: type, version and form are checked, the fields are trusted. What loading a session uses,
 * where the chain vouches for the bytes.
 */
export const decodeFast = (recorded: Recorded, versions = history): Result.Result<SessionEvent, LogUnreadable> =>
  Result.map(read(recorded, versions), (fields) => ({ ...fields, _tag: recorded.type }) as unknown as SessionEvent)

/** Reads an event and checks every field against its schema. What audits use. */
export const decodeStrict = (recorded: Recorded, versions = history): Result.Result<SessionEvent, LogUnreadable> =>
  Result.flatMap(read(recorded, versions), (fields) =>
    Result.mapError(decoder(recorded.type)({ ...fields, _tag: recorded.type }), (error) => {
      const { seq, streamId } = recorded
      return new LogUnreadable({ streamId, seq, reason: { _tag: "Corrupt", detail: error.message } })
    })
  )
