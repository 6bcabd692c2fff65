import type { Frame, FrameBody } from "@troupe/domain/session/Frame"
import { variables } from "@troupe/domain/Variables"
import { closeSync, fdatasync, ftruncateSync, openSync, rmSync, write, writeSync } from "node:fs"
import { rm, rmdir, unlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { promisify } from "node:util"
import { errorText, syncDirectory } from "./files.ts"
import { GroupWriter } from "./GroupWriter.ts"
import type { JournaledRequest } from "./JournaledRequest.ts"
import { after, closing, nothingOpen, type OpenWork } from "./OpenWork.ts"
import { encode } from "./records.ts"
import { encodeHead, noteFrame, read, type ReadLimits, type Segment, segmentName } from "./Segment.ts"

const writeFile = promisify(write)
const sync = promisify(fdatasync)

export interface JournalSizes {
  /** Of one attempt. */
  readonly attemptBytes: number
  /** Of all attempts together. */
  readonly totalBytes: number
  /** Of one frame. */
  readonly frameBytes: number
  /** A file is begun anew after so much, so that what is acknowledged can go while the attempt works. */
  readonly segmentBytes: number
  /** Kept free for the last frames of an attempt that has used up all else. */
  readonly closingBytes: number
  /** For measuring what the sync costs. */
  readonly sync: boolean
}

export const defaultSizes: JournalSizes = {
  attemptBytes: variables.TROUPE_RUNNER_ATTEMPT_JOURNAL_BYTES.usual,
  totalBytes: variables.TROUPE_RUNNER_JOURNAL_BYTES.usual,
  frameBytes: 4_194_304,
  segmentBytes: 4_194_304,
  closingBytes: 65_536,
  sync: true
}

/** What the attempts of a journal share. */
export interface Commons {
  readonly sizes: JournalSizes
  usedBytes: number
  /** Makes room on a full disk. */
  readonly release: (bytes: number) => void
  readonly now: () => number
}

/** Kept in memory for readers that are at the end, as almost all are. */
const tailBytesMax = 131_072

interface Item {
  readonly frame: Frame
  readonly record: Buffer
}

interface Loaded {
  readonly segments: ReadonlyArray<Segment>
  readonly open: OpenWork
  readonly acknowledged: number
}

/** The frames of one attempt on disk, from their making until they are acknowledged. */
export class AttemptJournal {
  readonly directory: string
  readonly request: JournaledRequest
  /** The last frame that is on disk. */
  last: number
  acknowledged: number
  /** What the frames on disk leave open. */
  open: OpenWork
  /** Why it takes no more frames, if so. */
  full: string | null = null
  private next: number
  private bytes: number
  private pendingBytes = 0
  private readonly segments: Array<Segment>
  private file: number | null = null
  private tail: Array<Item> = []
  private tailBytes = 0
  private readonly commons: Commons
  private readonly writer: GroupWriter<Item>
  private readonly mark: number
  private closed = false
  /** Resolves once all that must be on disk before the first frame is. */
  private readonly made: Promise<void>
  /** The segment that was there when that was. */
  private readonly begun: Segment | null

  /** `from`: what was found of it; of a new one, what puts its request and its directory on disk. */
  constructor(
    directory: string,
    request: JournaledRequest,
    requestBytes: number,
    commons: Commons,
    from: Loaded | (() => Promise<void>)
  ) {
    const loaded = typeof from === "function" ? undefined : from
    this.directory = directory
    this.request = request
    this.commons = commons
    this.segments = [...(loaded?.segments ?? [])]
    this.open = loaded?.open ?? nothingOpen
    this.last = this.segments.at(-1)?.last ?? 0
    this.next = this.last + 1
    this.acknowledged = loaded?.acknowledged ?? 0
    this.bytes = this.segments.reduce((sum, segment) => sum + segment.bytes, requestBytes)
    commons.usedBytes += this.bytes
    this.mark = openSync(join(directory, "acknowledged"), loaded === undefined ? "wx" : "r+", 0o600)
    this.writer = new GroupWriter((items) => this.write(items))
    this.begun = typeof from === "function" ? this.current() : null
    this.made = typeof from === "function" ? from() : Promise.resolve()
    // Whoever writes a frame hears of it.
    this.made.catch(() => undefined)
  }

  /** Numbers the frame; `done` hears its number once it is on disk, or why it can't be. */
  append(body: FrameBody, done: (result: number | { readonly detail: string }) => void, inNoHurry = false): void {
    if (this.full !== null) return done({ detail: this.full })
    const frame: Frame = { n: this.next, at: this.commons.now(), body }
    const record = encode(Buffer.from(JSON.stringify(frame)))
    const refusal = this.refusal(record.length)
    if (refusal !== null) return done({ detail: this.fail(refusal) })
    const written = (failure: unknown) => done(failure === null ? frame.n : { detail: this.fail(failure) })
    this.submit({ frame, record }, written, inNoHurry)
  }

  /** Resolves once all that was appended is on disk, or could not be. */
  written(): Promise<void> {
    return this.writer.idle()
  }

  /**
   * Ends what is open and says the last frame, in the space that is kept for it. What was submitted before comes first.
   * Answers why it could not, or null.
   */
  async close(how: "interrupted" | "unknown", end: FrameBody): Promise<string | null> {
    this.full ??= "the attempt has ended"
    await this.writer.idle()
    if (this.open.ended) return null
    this.next = this.last + 1
    const first = await this.tryClose([...closing(this.open, how), end])
    // What it says of single calls may be too much; the server can end those too.
    return first === null ? null : this.tryClose([end])
  }

  /** Frames after the one given, as many as the limits allow and are on disk. */
  async read(afterFrame: number, limits: ReadLimits): Promise<ReadonlyArray<Frame>> {
    const from = Math.max(afterFrame, this.segments[0] === undefined ? 0 : this.segments[0].first - 1) + 1
    if (from > this.last) return []
    const held = this.tail[0]
    if (held !== undefined && held.frame.n <= from) return fromTail(this.tail, from - held.frame.n, limits)
    const segment = this.segments.find(({ last }) => last >= from)
    return segment === undefined ? [] : read(segment, from, limits)
  }

  /** Frames up to `frame` are in the log. True where this is news. What is no longer needed goes. */
  acknowledge(frame: number): boolean {
    const upto = Math.min(frame, this.last)
    if (upto <= this.acknowledged) return false
    this.acknowledged = upto
    // Not synced: a mark that is lost is told again by the owner.
    if (!this.closed) writeSync(this.mark, String(upto).padEnd(20), 0)
    while (this.segments.length > 1 && this.segments[0]!.last <= upto) {
      const { bytes, path } = this.segments.shift()!
      this.account(-bytes)
      rmSync(path, { force: true })
    }
    return true
  }

  async shut(): Promise<void> {
    await this.writer.idle()
    await Promise.allSettled([this.made])
    if (this.closed) return
    this.closed = true
    closeSync(this.mark)
    if (this.file !== null) closeSync(this.file)
    this.file = null
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    this.full ??= "the attempt is forgotten"
    await this.shut()
    this.account(-this.bytes)
    const names = ["request.json", "acknowledged", ...this.segments.map(({ path }) => basename(path))]
    try {
      await Promise.all(names.map((name) => unlink(join(this.directory, name))))
      await rmdir(this.directory)
    } catch {
      // Something else is there, or less.
      await rm(this.directory, { recursive: true, force: true })
    }
  }

  private refusal(bytes: number): string | null {
    const { attemptBytes, closingBytes, frameBytes, totalBytes } = this.commons.sizes
    if (bytes > frameBytes) return `a frame of ${bytes} bytes is larger than ${frameBytes}`
    const used = this.bytes + this.pendingBytes + bytes + closingBytes
    if (used > attemptBytes) return `the attempt's quota of ${attemptBytes} bytes is used up`
    if (this.commons.usedBytes + this.pendingBytes + bytes + closingBytes > totalBytes) {
      return `the journal's quota of ${totalBytes} bytes is used up`
    }
    return null
  }

  private submit(item: Item, done: (failure: unknown) => void, inNoHurry = false): void {
    this.next++
    this.pendingBytes += item.record.length
    const written = (failure: unknown) => {
      this.pendingBytes -= item.record.length
      done(failure)
    }
    this.writer.submit(item, written, inNoHurry)
  }

  private fail(failure: unknown): string {
    this.full ??= errorText(failure)
    return this.full
  }

  private async tryClose(bodies: ReadonlyArray<FrameBody>): Promise<string | null> {
    const items = bodies.map((body, index): Item => {
      const frame: Frame = { n: this.last + 1 + index, at: this.commons.now(), body }
      return { frame, record: encode(Buffer.from(JSON.stringify(frame))) }
    })
    const bytes = items.reduce((sum, { record }) => sum + record.length, 0)
    if (bytes > this.commons.sizes.closingBytes && bodies.length > 1) return "there is too much to say"
    for (const last of [false, true]) {
      const results = await Promise.all(items.map((item) => new Promise<unknown>((done) => this.submit(item, done))))
      const failure = results.find((result) => result !== null)
      if (failure === undefined) return null
      this.next = this.last + 1
      if (last) return errorText(failure)
      this.commons.release(bytes + this.commons.sizes.closingBytes)
    }
    return null
  }

  private async write(items: ReadonlyArray<Item>): Promise<void> {
    await this.made
    for (let from = 0; from < items.length;) {
      const segment = this.current()
      const room = Math.max(1, this.commons.sizes.segmentBytes - segment.bytes)
      let upto = from + 1
      for (let bytes = items[from]!.record.length; upto < items.length; upto++) {
        bytes += items[upto]!.record.length
        if (bytes > room) break
      }
      await this.writeTo(segment, items.slice(from, upto))
      from = upto
    }
  }

  private async writeTo(segment: Segment, items: ReadonlyArray<Item>): Promise<void> {
    const file = this.file!
    const fresh = segment.bytes === 0
    const records = items.map(({ record }) => record)
    const bytes = Buffer.concat(fresh ? [encodeHead(segment.first, this.open), ...records] : records)
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await writeFile(file, bytes, done, bytes.length - done, segment.bytes + done)).bytesWritten
      }
      if (this.commons.sizes.sync) await sync(file)
      if (fresh && segment !== this.begun) syncDirectory(this.directory)
    } catch (cause) {
      ftruncateSync(file, segment.bytes)
      throw cause
    }
    let at = segment.bytes + bytes.length - records.reduce((sum, record) => sum + record.length, 0)
    for (const item of items) {
      noteFrame(segment, item.frame.n, at)
      at += item.record.length
      this.open = after(this.open, item.frame)
      this.keep(item)
    }
    segment.bytes += bytes.length
    this.account(bytes.length)
    this.last = segment.last
  }

  /** The segment that is written to, begun anew where the one before is long enough. */
  private current(): Segment {
    const last = this.segments.at(-1)
    if (last !== undefined && last.bytes < this.commons.sizes.segmentBytes) {
      this.file ??= openSync(last.path, "r+")
      return last
    }
    if (this.file !== null) closeSync(this.file)
    this.file = null
    const first = this.last + 1
    const segment: Segment = {
      path: join(this.directory, segmentName(first)),
      first,
      last: this.last,
      bytes: 0,
      marks: []
    }
    this.file = openSync(segment.path, "w", 0o600)
    this.segments.push(segment)
    return segment
  }

  private keep(item: Item): void {
    this.tail.push(item)
    this.tailBytes += item.record.length
    let gone = 0
    while (this.tailBytes > tailBytesMax && gone < this.tail.length) this.tailBytes -= this.tail[gone++]!.record.length
    if (gone > 0) this.tail = this.tail.slice(gone)
  }

  private account(bytes: number): void {
    this.bytes += bytes
    this.commons.usedBytes += bytes
  }
}

const fromTail = (tail: ReadonlyArray<Item>, from: number, limits: ReadLimits): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  let bytes = 0
  for (let i = from; i < tail.length && frames.length < limits.frames; i++) {
    const { frame, record } = tail[i]!
    bytes += record.length
    if (frames.length > 0 && bytes > limits.bytes) break
    frames.push(frame)
  }
  return frames
}
