import { Result, Schema } from "effect"
import { type ApiFailure, invalid } from "./ApiError.ts"

/** A page of a list. The next one is asked for with `page=<next_page>` and the same query; the last one has null. */
export const Page = <const Item extends Schema.Top>(item: Item) =>
  Schema.Struct({ data: Schema.Array(item), next_page: Schema.NullOr(Schema.String) })

export const pageSizeDefault = 20

const limitUpTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

export const pageQuery = {
  limit: Schema.optionalKey(limitUpTo(100)),
  page: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2_048)))
}

export const longPageQuery = { ...pageQuery, limit: Schema.optionalKey(limitUpTo(1_000)) }

/** A flag of a query: `true` or `false`. */
export const Flag = Schema.Literals(["true", "false"])

/**
 * Whether it is a day that there is, as YYYY-MM-DD: a parser takes the 30th of February for a day in March. Of years with four
 * figures: before them, calendars differ.
 */
export const isDay = (text: string): boolean => {
  if (!/^[1-9]\d{3}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const written = /^(\d{4}-\d\d-\d\d)(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?$/

/** Milliseconds since 1970. Without a zone it is UTC, wherever this runs. */
const msOf = (time: string): number => {
  const [, day, zone] = written.exec(time) ?? []
  return Date.parse(day === time || zone !== undefined ? time : `${time}Z`)
}

/** A moment as clients write it. */
export const Time = Schema.String.check(
  Schema.makeFilter((text: string) => isDay(written.exec(text)?.[1] ?? "") && !Number.isNaN(msOf(text)), {
    expected: "an RFC 3339 time"
  })
)

/** Microseconds since 1970. Digits behind the microseconds are dropped. */
export const microsOf = (time: string): number => {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ""
  const below = Number(fraction.slice(3, 6).padEnd(3, "0"))
  return msOf(time) * 1_000 + below
}

const two = (value: number) => String(value).padStart(6, "0")

/** The time of an event, to the microsecond: what comes later in a log has a later time. */
export const timeOfMicros = (micros: number): string => {
  const seconds = Math.floor(micros / 1_000_000)
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${two(micros - seconds * 1_000_000)}Z`
}

export const timeOf = (ms: number): string => new Date(ms).toISOString()

const badCursor = () => invalid("invalid page cursor")

const toBase64Url = (text: string): string => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

/** A cursor is opaque: what the list knows where it stopped, marked with the list that it belongs to. */
export const makeCursor = (list: string, place: ReadonlyArray<string | number>): string =>
  `page_${toBase64Url(JSON.stringify([list, ...place]))}`

/** What a cursor of this list says. It must have as many parts, of the same types, as the list puts into its own. */
export const readCursor = <const Shape extends ReadonlyArray<"string" | "number">>(
  list: string,
  shape: Shape,
  cursor: string
): Result.Result<{ readonly [I in keyof Shape]: Shape[I] extends "string" ? string : number }, ApiFailure> => {
  try {
    const text = atob(cursor.slice(5).replaceAll("-", "+").replaceAll("_", "/"))
    const parts = JSON.parse(text) as unknown
    if (!cursor.startsWith("page_") || !Array.isArray(parts)) return Result.fail(badCursor())
    const [of, ...place] = parts as ReadonlyArray<unknown>
    const fits = place.length === shape.length && place.every((part, at) => typeof part === shape[at])
    const whole = place.every((part) => typeof part !== "number" || Number.isSafeInteger(part))
    return of === list && fits && whole ? Result.succeed(place as never) : Result.fail(badCursor())
  } catch {
    return Result.fail(badCursor())
  }
}
