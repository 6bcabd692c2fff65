import { Frame } from "@troupe/domain/session/Frame"
import { Schema } from "effect"
import { readFileSync, truncateSync } from "node:fs"
import { open } from "node:fs/promises"
import { decodeAt, encode, scan } from "./records.ts"
import { OpenWork } from "./OpenWork.ts"

/** The first record of a segment: what was open when it began, since the segments before it may be gone. */
const Head = Schema.fromJsonString(Schema.Struct({ first: Schema.Int, open: OpenWork }))

export const encodeHead = (first: number, open: OpenWork): Buffer =>
  encode(Buffer.from(Schema.encodeSync(Head)({ first, open })))

const decodeHead = Schema.decodeUnknownResult(Head)
const decodeFrame = Schema.decodeUnknownResult(Schema.fromJsonString(Frame))

export const segmentName = (first: number): string => `frames-${String(first).padStart(12, "0")}`
export const isSegmentName = (name: string): boolean => /^frames-\d{12}$/.test(name)

/** A frame in so many has its place kept in memory; those between are found from there. */
const markEvery = 32
const readBytes = 262_144

/** Some of an attempt's frames, in one file. */
export interface Segment {
  readonly path: string
  readonly first: number
  last: number
  bytes: number
  /** Where each 32nd frame begins. */
  readonly marks: Array<number>
}

export const noteFrame = (segment: Segment, n: number, at: number): void => {
  if ((n - segment.first) % markEvery === 0) segment.marks.push(at)
  segment.last = n
}

export interface LoadedSegment {
  readonly segment: Segment
  readonly open: OpenWork
  readonly frames: ReadonlyArray<Frame>
  /** What came off its end, if a write was cut off there. */
  readonly torn: boolean
}

/**
 * Reads a segment; a text says what is wrong with it beyond repair, null that its making was cut off before anything in it
 * was promised. A write that was cut off at its end is cut away.
 */
export const load = (path: string, expected: number | null): LoadedSegment | string | null => {
  const found = scan(readFileSync(path))
  if (found.end === "damaged") return "records are damaged"
  if (found.payloads.length === 0) return null
  const head = decodeHead(found.payloads[0]!.toString())
  if (head._tag === "Failure") return "its head can't be read"
  const { first, open } = head.success
  if (expected !== null && first !== expected) return `it begins with frame ${first}, not ${expected}`
  const segment: Segment = { path, first, last: first - 1, bytes: found.good, marks: [] }
  const frames: Array<Frame> = []
  for (const [index, payload] of found.payloads.entries()) {
    if (index === 0) continue
    const frame = decodeFrame(payload.toString())
    if (frame._tag === "Failure") return `frame ${segment.last + 1} can't be read`
    if (frame.success.n !== segment.last + 1) return `frame ${frame.success.n} follows ${segment.last}`
    frames.push(frame.success)
    noteFrame(segment, frame.success.n, found.offsets[index]!)
  }
  if (found.end === "torn") truncateSync(path, found.good)
  return { segment, open, frames, torn: found.end === "torn" }
}

export interface ReadLimits {
  readonly frames: number
  readonly bytes: number
}

/** Frames of a segment from `from` on: at least one, and no more than the limits allow. */
export const read = async (segment: Segment, from: number, limits: ReadLimits): Promise<ReadonlyArray<Frame>> => {
  const file = await open(segment.path, "r")
  try {
    const frames: Array<Frame> = []
    let at = segment.marks[Math.floor((from - segment.first) / markEvery)] ?? 0
    let chunkBytes = readBytes
    let total = 0
    while (at < segment.bytes) {
      const size = Math.min(chunkBytes, segment.bytes - at)
      const chunk = Buffer.allocUnsafe(size)
      await file.read(chunk, 0, size, at)
      chunkBytes = readBytes
      let used = 0
      while (used < size) {
        const record = decodeAt(chunk, used)
        // One that goes on past the chunk is read again, whole.
        if (record?.payload == null) {
          if (record !== null && used === 0) chunkBytes = record.next
          break
        }
        const length = record.next - used
        used = record.next
        const frame = JSON.parse(record.payload.toString()) as Frame
        if (frame.n < from) continue
        if (frames.length > 0 && total + length > limits.bytes) return frames
        frames.push(frame)
        total += length
        if (frames.length >= limits.frames) return frames
      }
      if (used === 0 && chunkBytes === readBytes) throw new Error(`${segment.path} can't be read at ${at}`)
      at += used
    }
    return frames
  } finally {
    await file.close()
  }
}
