import { Result, Schema, type Types } from "effect"
import { commit, type Sha256 } from "./Chain.ts"
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

type Shape<Event> = Schema.Codec<Event, unknown>

/**
 * Every shape that a type of event has had, the newest first, which counts its version: a type with three shapes is at
 * version 3. Older ones decode to the newest, and encode what they can say of it: they are written for as long as some
 * node of the installation can read no newer one.
 */
export type Shapes<Event> = readonly [Shape<Event>, ...ReadonlyArray<Shape<Event>>]

/**
 * The format of logs since which each version of a type is read, version 1 first; 1 for what is not named. A release that
 * adds a type or a version gives it a format that is greater by one than that of the release before.
 */
export type Since<Tag extends string> = { readonly [Type in Tag]?: ReadonlyArray<number> }

/** What of a stored event its codec reads. */
export type Stored = Pick<Recorded, "streamId" | "seq" | "type" | "version" | "payload">

/** The same with what shows whether it still is what was written. */
export type Committed = Stored & Pick<Recorded, "salt" | "commitment">

export interface Encoded {
  readonly type: string
  readonly version: number
  /** The exact text that is stored and committed to. */
  readonly payload: string
}

export interface EventCodec<Event> {
  /** The newest format of logs that is read here. */
  readonly format: number
  readonly encode: (event: Event) => Encoded
  /** In the newest shape of those that every reader of this format knows; null where it knows none. */
  readonly encodeIn: (event: Event, format: number) => Encoded | null
  /** As this version of its type, for what stands in the place of an event that was stored so. */
  readonly encodeAs: (event: Event, version: number) => Encoded
  /** Believes the shape of what it finds where type and version are the newest: for logs that this system wrote. */
  readonly decodeFast: (stored: Stored) => Result.Result<Event, LogUnreadable>
  /** Checks every field: for logs that come from elsewhere, and for audits. */
  readonly decodeStrict: (stored: Stored) => Result.Result<Event, LogUnreadable>
}

type Tagged = { readonly _tag: string }

/** Shapes of a type, the newest first in both lists. */
interface Known<Event> {
  readonly current: number
  readonly since: ReadonlyArray<number>
  readonly parsers: ReadonlyArray<(fields: object) => Result.Result<Event, Schema.SchemaError>>
  readonly writers: ReadonlyArray<(event: Event) => object>
}

const issue = (error: Schema.SchemaError): string => error.message.split("\n", 3).join("; ").slice(0, 500)

/** The codec of all events whose shapes are given by type. */
export const make = <Event extends Tagged>(
  shapes: { readonly [Tag in Event["_tag"]]: Shapes<Types.ExtractTag<Event, Tag>> },
  since: Since<Event["_tag"]> = {}
): EventCodec<Event> => {
  const known = new Map<string, Known<Event>>(
    Object.entries<ReadonlyArray<Shape<Event>>>(shapes as never).map(([type, list]) => [
      type,
      {
        current: list.length,
        since: since[type as Event["_tag"]] ?? [],
        // Made once a type is met: a process that never reads strictly pays nothing.
        parsers: list.map((shape) =>
          lazily<object, Result.Result<Event, Schema.SchemaError>>(() => Schema.decodeUnknownResult(shape))
        ),
        writers: list.map((shape) => lazily<Event, object>(() => Schema.encodeSync(shape) as (event: Event) => object))
      }
    ])
  )
  const format = Math.max(1, ...[...known.values()].flatMap((one) => one.since))

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

  const encoded = ({ _tag, ...fields }: Tagged, version: number): Encoded => ({
    type: _tag,
    version,
    payload: JSON.stringify(fields)
  })
  const encodeAs = (event: Event, version: number): Encoded => {
    const { current, writers } = known.get(event._tag)!
    if (version === current) return encoded(event, version)
    return encoded({ ...writers[current - version]!(event), _tag: event._tag }, version)
  }

  return {
    format,
    encode: (event) => encoded(event, known.get(event._tag)!.current),
    encodeIn: (event, format) => {
      const { current, since } = known.get(event._tag)!
      let version = current
      while (version > 0 && (since[version - 1] ?? 1) > format) version--
      return version === 0 ? null : encodeAs(event, version)
    },
    encodeAs,
    decodeFast: (stored) => decode(stored, false),
    decodeStrict: (stored) => decode(stored, true)
  }
}

/**
 * Reads what this system wrote, and notices what became of it since: a payload that is not the one that was committed to is
 * no event. What stands in the place of one that was taken out was committed to by nobody, so every field of it is checked.
 */
export const provenBy =
  <Event>({ decodeFast, decodeStrict }: Pick<EventCodec<Event>, "decodeFast" | "decodeStrict">, sha256: Sha256) =>
  (stored: Committed): Result.Result<Event, LogUnreadable> => {
    const { commitment, payload, salt, seq, streamId } = stored
    if (salt === null) return decodeStrict(stored)
    if (payload === null || commit(sha256, salt, payload) === commitment) return decodeFast(stored)
    const reason = { _tag: "Corrupt" as const, detail: "its payload is not the one that was committed to" }
    return Result.fail(new LogUnreadable({ streamId, seq, reason }))
  }

const lazily = <A, B>(make: () => (value: A) => B): ((value: A) => B) => {
  let made: ((value: A) => B) | undefined
  return (value) => (made ??= make())(value)
}
