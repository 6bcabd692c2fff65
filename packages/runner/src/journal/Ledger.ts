import { AttemptId, SessionId } from "@troupe/domain/Ids"
import { Schema } from "effect"
import {
  closeSync,
  existsSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  write
} from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { syncDirectory, writeWhole } from "./files.ts"
import { GroupWriter } from "./GroupWriter.ts"
import { encode, scan } from "./records.ts"

const Entry = Schema.fromJsonString(
  Schema.TaggedUnion({
    /** An owner of this epoch was heard for the session. */
    Epoch: { sessionId: SessionId, epoch: Schema.Int },
    /** The attempt is over and forgotten: its id is never run again. */
    Forgotten: { attemptId: AttemptId, reason: Schema.String }
  })
)
type Entry = typeof Entry.Type

const decodeEntry = Schema.decodeUnknownResult(Entry)
const encodeEntry = Schema.encodeSync(Entry)

const writeFile = promisify(write)
const sync = promisify(fdatasync)

/** How many sessions and attempts it remembers: those heard of last. */
const remembered = 20_000
const compactBytes = 8_388_608

/** What a runner must remember after its attempts are gone: the highest epoch of each session, and which ids were used. */
export class Ledger {
  private readonly path: string
  private readonly epochs: Map<string, number>
  private readonly forgotten: Map<string, string>
  private file: number
  private size: number
  private readonly writer: GroupWriter<Entry>

  private constructor(path: string, size: number, epochs: Map<string, number>, forgotten: Map<string, string>) {
    this.path = path
    this.epochs = epochs
    this.forgotten = forgotten
    this.size = size
    this.file = openSync(path, "r+")
    this.writer = new GroupWriter((entries) => this.write(entries))
  }

  /** Reads the ledger of a directory. One that is damaged is moved aside, and begun anew with what could be read of it. */
  static open(directory: string, aside: (path: string) => void): Ledger {
    const path = join(directory, "ledger")
    const epochs = new Map<string, number>()
    const forgotten = new Map<string, string>()
    if (!existsSync(path)) writeWhole(path, "")
    const { end, good, payloads } = scan(readFileSync(path))
    for (const payload of payloads) {
      const entry = decodeEntry(payload.toString())
      if (entry._tag === "Success") note(epochs, forgotten, entry.success)
    }
    if (end === "torn") truncateSync(path, good)
    if (end !== "damaged") return new Ledger(path, good, epochs, forgotten)
    aside(path)
    const bytes = encodeAll(epochs, forgotten)
    writeWhole(path, bytes)
    return new Ledger(path, bytes.length, epochs, forgotten)
  }

  epoch(sessionId: string): number {
    return this.epochs.get(sessionId) ?? 0
  }

  /** Why an attempt was forgotten, if it was. */
  why(attemptId: string): string | undefined {
    return this.forgotten.get(attemptId)
  }

  /** Known at once, and on disk when `done` hears null. */
  record(entry: Entry, done: (failure: unknown) => void): void {
    note(this.epochs, this.forgotten, entry)
    this.writer.submit(entry, done)
  }

  async close(): Promise<void> {
    await this.writer.idle()
    closeSync(this.file)
  }

  private async write(entries: ReadonlyArray<Entry>): Promise<void> {
    if (this.size > compactBytes) return this.compact()
    const bytes = Buffer.concat(entries.map(encodeOne))
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await writeFile(this.file, bytes, done, bytes.length - done, this.size + done)).bytesWritten
      }
      await sync(this.file)
    } catch (cause) {
      ftruncateSync(this.file, this.size)
      throw cause
    }
    this.size += bytes.length
  }

  /** Writes it anew, without what is no longer so. What is known by now is in it. */
  private compact(): void {
    const bytes = encodeAll(this.epochs, this.forgotten)
    writeWhole(this.path, bytes)
    closeSync(this.file)
    this.file = openSync(this.path, "r+")
    this.size = bytes.length
  }
}

const encodeOne = (entry: Entry): Buffer => encode(Buffer.from(encodeEntry(entry)))

const encodeAll = (epochs: ReadonlyMap<string, number>, forgotten: ReadonlyMap<string, string>): Buffer =>
  Buffer.concat([
    ...[...epochs].map(([sessionId, epoch]) => encodeOne({ _tag: "Epoch", sessionId: sessionId as SessionId, epoch })),
    ...[...forgotten].map(([attemptId, reason]) =>
      encodeOne({ _tag: "Forgotten", attemptId: attemptId as AttemptId, reason })
    )
  ])

/** Later ones come last, so that the oldest go first. */
const note = (epochs: Map<string, number>, forgotten: Map<string, string>, entry: Entry): void => {
  if (entry._tag === "Epoch") {
    const epoch = Math.max(entry.epoch, epochs.get(entry.sessionId) ?? 0)
    epochs.delete(entry.sessionId)
    epochs.set(entry.sessionId, epoch)
    trim(epochs)
  } else {
    forgotten.set(entry.attemptId, entry.reason)
    trim(forgotten)
  }
}

const trim = (map: Map<string, unknown>): void => {
  if (map.size <= remembered) return
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}

/** Moves what can't be used out of the way, and keeps it for whoever looks into it. */
export const moveAside = (directory: string, path: string, name: string): void => {
  renameSync(path, join(directory, name))
  syncDirectory(directory)
  syncDirectory(dirname(path))
}
