import { Result, Schema, type Types } from "effect"
import type { Recorded } from "./Envelope.ts"

/** An event of the log that this release can't read: where it stands, and why. The rest of the log is not in doubt. */
export class LogUnreadable extends Schema.TaggedError<LogUnreadable>()("LogUnreadable", {
  streamId: Schema.String,
  seq: Schema.Int,
  reason: Schema.TaggedUnion({
    /** A newer release wrote it. */
    UnknownType: { type: Schema.String },
    /** A newer release wrote it, in a shape that came after `known`. */
    NewerVersion: { type: Schema.String, version: Schema.Int, known: Schema.Int },
    Corrupt: { detail: Schema.String }
  })
}) {
  override get message() {
    const { reason } = this
    const why =
      reason._tag === "UnknownType"
        ? `its type ${reason.type} is not known here`
        : reason._tag === "NewerVersion"
          ? `${reason.type} is known up to version ${reason.known}, not ${reason.version}`
          : reason.detail
    return `Event ${this.seq} of ${this.streamId} can't be read: ${why}`
  }
}

/**
 * Every shape that a type of event has had, the newest first; older ones decode to the newest. Only the newest is
 * written, and its place counts its version: a type with three shapes is at version 3.
 */
export type Shapes<Event> = readonly [Schema.Decoder<Event>, ...ReadonlyArray<Schema.Decoder<Event>>]

/** What of a stored event its codec reads. */
export type Stored = Pick<Recorded, "streamId" | "seq" | "type" | "version" | "payload">

export interface Encoded {
  readonly type: string
  readonly version: number
  /** The exact text that is stored and committed to. */
  readonly payload: string
}

export interface EventCodec<Event> {
  readonly encode: (event: Event) => Encoded
  /** Believes the shape of what it finds where type and version are the newest: for logs that this system wrote. */
  readonly decodeFast: (stored: Stored) => Result.Result<Event, LogUnreadable>
  /** Checks every field: for logs that come from elsewhere, and for audits. */
  readonly decodeStrict: (stored: Stored) => Result.Result<Event, LogUnreadable>
}

type Tagged = { readonly _tag: string }
type Parse<Event> = (fields: object) => Result.Result<Event, Schema.SchemaError>

const issue = (error: Schema.SchemaError): string => error.message.split("\n", 3).join("; ").slice(0, 500)

/** The codec of all events whose shapes are given by type. */
export const make = <Event extends Tagged>(shapes: {
  readonly [Tag in Event["_tag"]]: Shapes<Types.ExtractTag<Event, Tag>>
}): EventCodec<Event> => {
  const known = new Map<string, { readonly current: number; readonly parsers: ReadonlyArray<Parse<Event>> }>(
    Object.entries<ReadonlyArray<Schema.Decoder<Event>>>(shapes as never).map(([type, list]) => [
      type,
      // Made once a type is met: a process that never reads strictly pays nothing.
      { current: list.length, parsers: list.map((shape) => lazily(() => Schema.decodeUnknownResult(shape))) }
    ])
  )

  const fail = (stored: Stored, reason: LogUnreadable["reason"]) =>
    Result.fail(new LogUnreadable({ streamId: stored.streamId, seq: stored.seq, reason }))
  const corrupt = (stored: Stored, detail: string) => fail(stored, { _tag: "Corrupt", detail })

  const decode = (stored: Stored, strict: boolean): Result.Result<Event, LogUnreadable> => {
    const { payload, type, version } = stored
    const found = known.get(type)
    if (found === undefined) return fail(stored, { _tag: "UnknownType", type })
    const { current, parsers } = found
    if (version > current) return fail(stored, { _tag: "NewerVersion", type, version, known: current })
    if (payload === null) return corrupt(stored, "its payload is gone and nothing stands in its place")
    let fields: { _tag?: string }
    try {
      fields = JSON.parse(payload)
    } catch {
      return corrupt(stored, "its payload is not JSON")
    }
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      return corrupt(stored, "its payload is not an object")
    }
    fields._tag = type
    if (!strict && version === current) return Result.succeed(fields as Event)
    const parse = parsers[current - version]
    if (parse === undefined) return corrupt(stored, `${type} has no version ${version}`)
    const parsed = parse(fields)
    return Result.isSuccess(parsed) ? Result.succeed(parsed.success) : corrupt(stored, issue(parsed.failure))
  }

  return {
    encode: (event) => {
      const { _tag, ...fields } = event
      return { type: _tag, version: known.get(_tag)!.current, payload: JSON.stringify(fields) }
    },
    decodeFast: (stored) => decode(stored, false),
    decodeStrict: (stored) => decode(stored, true)
  }
}

const lazily = <Event>(make: () => Parse<Event>): Parse<Event> => {
  let made: Parse<Event> | undefined
  return (fields) => (made ??= make())(fields)
}
