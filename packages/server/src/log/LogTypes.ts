import * as PgTypes from "@effect/sql-pg/PgTypes"
import { fromWords, prefixes, toWords, type IdKind, type Words } from "@troupe/domain/Ids"
import { Result } from "effect"

/**
 * Ids as the log's connections speak them: words of a UUID on the way in, and on the way out the id itself but for its
 * kind, which the column tells. A page of 10,000 events holds 30,000 ids, and most of them are repeated from row to row,
 * so one table remembers who was seen last at each place.
 */
const places = 4_096
const seenWords = new Uint32Array(places * 4)
const seenIds: Array<string | undefined> = Array.from({ length: places })

const readUuid = (bytes: Uint8Array, offset: number): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 16)
  const [a, b, c, d] = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)]
  const place = (a ^ b ^ c ^ d) & (places - 1)
  const at = place * 4
  const seen = seenIds[place]
  if (
    seen !== undefined &&
    seenWords[at] === a &&
    seenWords[at + 1] === b &&
    seenWords[at + 2] === c &&
    seenWords[at + 3] === d
  ) {
    return seen
  }
  const id = fromWords("", a, b, c, d)
  seenWords[at] = a
  seenWords[at + 1] = b
  seenWords[at + 2] = c
  seenWords[at + 3] = d
  seenIds[place] = id
  return id
}

/** The id of a kind from what a column of type `uuid` reads as. */
export const idOf = (kind: IdKind, column: unknown): string => prefixes[kind] + (column as string)

const readHex = (bytes: Uint8Array, offset: number, size: number): string =>
  Buffer.isBuffer(bytes)
    ? bytes.toString("hex", offset, offset + size)
    : Buffer.from(bytes.buffer, bytes.byteOffset + offset, size).toString("hex")

const wordBytes = ([a, b, c, d]: Words): Uint8Array => {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeUInt32BE(a, 0)
  bytes.writeUInt32BE(b, 4)
  bytes.writeUInt32BE(c, 8)
  bytes.writeUInt32BE(d, 12)
  return bytes
}

const uuid: PgTypes.Codec<Words | string> = {
  encode: (words) => Result.succeed(wordBytes(words as Words)),
  decode: (bytes) => Result.succeed(readUuid(bytes, 0)),
  read: (bytes, offset) => Result.succeed(readUuid(bytes, offset)),
  write: (sink, words) => {
    for (const word of words as Words) sink.int32(word | 0)
    return Result.void
  }
}

/** Hashes and salts: bytes on the way in, hexadecimal on the way out. */
const bytea: PgTypes.Codec<Uint8Array | string> = {
  encode: (bytes) => Result.succeed(bytes as Uint8Array),
  decode: (bytes) => Result.succeed(readHex(bytes, 0, bytes.length)),
  read: (bytes, offset, size) => Result.succeed(readHex(bytes, offset, size)),
  write: (sink, bytes) => {
    sink.raw(bytes as Uint8Array)
    return Result.void
  }
}

/** What the log's own connections read and write in place of the usual types. */
export const logTypes: PgTypes.Registry = PgTypes.makeRegistry()
logTypes.register(PgTypes.OID.uuid, uuid)
logTypes.register(PgTypes.OID.bytea, bytea)

const parameter =
  (oid: number) =>
  (value: unknown): PgTypes.Parameter => ({
    [PgTypes.ParameterTypeId]: PgTypes.ParameterTypeId,
    oid,
    value
  })

/** An id of ours as a parameter; undefined where it is none. */
export const uuidParameter = (id: string): PgTypes.Parameter | undefined => {
  const words = toWords(id)
  return words === undefined ? undefined : parameter(PgTypes.OID.uuid)(words)
}

/** Those of the ids that are ours. */
export const uuidsParameter = (ids: ReadonlyArray<string>): PgTypes.Parameter =>
  parameter(PgTypes.OID.uuidArray)(
    ids.flatMap((id) => {
      const words = toWords(id)
      return words === undefined ? [] : [words]
    })
  )

/** A column of values as one parameter. */
export const arrayParameter = (elementOid: number) => parameter(PgTypes.arrayOidFor(elementOid)!)
