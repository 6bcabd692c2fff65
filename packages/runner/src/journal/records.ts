import { crc32 } from "node:zlib"

/** Before each record: its length, and a checksum over length and content, so that zeros are no record. */
const headBytes = 8

export const encode = (payload: Uint8Array): Buffer => {
  const record = Buffer.allocUnsafe(headBytes + payload.length)
  record.writeUInt32LE(payload.length, 0)
  record.set(payload, headBytes)
  record.writeUInt32LE(checksum(record.subarray(0, 4), payload), 4)
  return record
}

const checksum = (length: Uint8Array, payload: Uint8Array): number => crc32(payload, crc32(length))

/** The record at a place; its length alone where it goes on past the bytes; null where there is none. */
export const decodeAt = (
  bytes: Buffer,
  at: number
): { readonly payload: Buffer | null; readonly next: number } | null => {
  if (at + headBytes > bytes.length) return null
  const length = bytes.readUInt32LE(at)
  if (length === 0) return null
  const next = at + headBytes + length
  if (next > bytes.length) return { payload: null, next }
  const payload = bytes.subarray(at + headBytes, next)
  const sound = checksum(bytes.subarray(at, at + 4), payload) === bytes.readUInt32LE(at + 4)
  return sound ? { payload, next } : null
}

export interface Scan {
  readonly payloads: ReadonlyArray<Buffer>
  /** Where each payload's record begins. */
  readonly offsets: ReadonlyArray<number>
  /** How far the file is sound. */
  readonly good: number
  /** `torn`: a write that was cut off, at the end. `damaged`: there are records behind the bad place. */
  readonly end: "whole" | "torn" | "damaged"
}

/** Reads a file of records as far as it is sound. */
export const scan = (bytes: Buffer): Scan => {
  const payloads: Array<Buffer> = []
  const offsets: Array<number> = []
  let at = 0
  while (at < bytes.length) {
    const record = decodeAt(bytes, at)
    if (record?.payload == null) {
      return { payloads, offsets, good: at, end: hasRecordAfter(bytes, at) ? "damaged" : "torn" }
    }
    payloads.push(record.payload)
    offsets.push(at)
    at = record.next
  }
  return { payloads, offsets, good: at, end: "whole" }
}

/** A write that was cut off leaves nothing sound behind it. What does follow was written after, and was promised. */
const hasRecordAfter = (bytes: Buffer, bad: number): boolean => {
  for (let at = bad + 1; at + headBytes < bytes.length; at++) {
    const length = bytes.readUInt32LE(at)
    // What is written is JSON objects: most places can't be the beginning of one.
    if (length === 0 || at + headBytes + length > bytes.length || bytes[at + headBytes] !== 0x7b) continue
    if (decodeAt(bytes, at)?.payload != null) return true
  }
  return false
}
