import { Effect, Schema } from "effect"
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync } from "node:fs"
import { join } from "node:path"
import { errorText, writeWhole } from "../journal/files.ts"
import { diskUsage } from "../sandbox/DiskUsage.ts"
import { removeTree } from "../sandbox/SandboxHome.ts"
import { PreparationFailed } from "./PreparationFailed.ts"
import { tryLock } from "./PreparationLock.ts"

/** Written last: a preparation that has it is whole. */
const Record = Schema.fromJsonString(
  Schema.Struct({
    key: Schema.String,
    bytes: Schema.Int,
    preparedAtMs: Schema.Int,
    /** What was made instead of a directory, by backends that run images. */
    image: Schema.NullOr(Schema.String)
  })
)
export type PreparationRecord = typeof Record.Type

export interface PreparedImage {
  readonly name: string
  readonly bytes: number
}

export interface StoreLimits {
  /** What all that is not in use may take together. */
  readonly bytesMax: number
  /** How long one is kept that nobody uses. */
  readonly idleMsMax: number
}

const storage = (cause: unknown) =>
  new PreparationFailed({ step: "environment", reason: { _tag: "Storage", detail: errorText(cause) }, cause })

const onDisk = <A>(work: () => A) => Effect.try({ try: work, catch: storage })

/** Prepared environments on this host's disk: a directory each, below one of the runner's. */
export class PreparationStore {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  static readonly open = (directory: string): Effect.Effect<PreparationStore, PreparationFailed> =>
    onDisk(() => {
      mkdirSync(join(directory, "locks"), { recursive: true, mode: 0o700 })
      // Sandboxes run under other accounts, and look into what was prepared.
      chmodSync(directory, 0o711)
      return new PreparationStore(directory)
    })

  /** What sessions see. */
  readonly root = (key: string) => join(this.directory, key, "root")
  readonly lockFile = (key: string) => join(this.directory, "locks", key)

  /** Undefined where nothing was prepared to the end. Reading it counts as a use. */
  readonly find = (key: string, nowMs: number): Effect.Effect<PreparationRecord | undefined, PreparationFailed> =>
    onDisk(() => {
      const record = this.#read(key)
      if (record !== undefined) utimesSync(this.#recordFile(key), nowMs / 1_000, nowMs / 1_000)
      return record
    })

  /** A new directory, in the place of what somebody may have begun there. */
  readonly begin = (key: string) =>
    Effect.gen({ self: this }, function* () {
      yield* removeTree(join(this.directory, key)).pipe(Effect.mapError(storage))
      yield* onDisk(() => {
        mkdirSync(join(this.directory, key), { mode: 0o711 })
        mkdirSync(this.root(key), { mode: 0o755 })
      })
    })

  /** An image is kept by whoever runs it; here is what it is called, and that it is whole. */
  readonly finish = (key: string, image: PreparedImage | null, nowMs: number) =>
    Effect.gen({ self: this }, function* () {
      const bytes = image?.bytes ?? (yield* diskUsage([this.root(key)])) ?? 0
      const record = { key, bytes, preparedAtMs: nowMs, image: image?.name ?? null }
      yield* onDisk(() => writeWhole(this.#recordFile(key), Schema.encodeSync(Record)(record)))
      return record
    })

  /** Removes what is too old, and the least recently used of the rest until it fits; never what is in use. Answers their keys. */
  readonly collect = (limits: StoreLimits, nowMs: number) =>
    Effect.gen({ self: this }, function* () {
      const kept = (yield* onDisk(() => this.#all())).toSorted((a, b) => b.usedAtMs - a.usedAtMs)
      const removed: Array<PreparationRecord> = []
      let bytes = 0
      for (const { key, record, usedAtMs } of kept) {
        bytes += record?.bytes ?? 0
        const isKept = record !== undefined && bytes <= limits.bytesMax && nowMs - usedAtMs <= limits.idleMsMax
        if (isKept || !(yield* this.#remove(key))) continue
        bytes -= record?.bytes ?? 0
        if (record !== undefined) removed.push(record)
      }
      return removed
    })

  #remove(key: string): Effect.Effect<boolean, PreparationFailed> {
    return Effect.acquireUseRelease(
      onDisk(() => tryLock(this.lockFile(key), "remove")),
      (held) =>
        held === null
          ? Effect.succeed(false)
          : removeTree(join(this.directory, key)).pipe(Effect.mapError(storage), Effect.as(true)),
      (held) => Effect.sync(() => held?.close())
    )
  }

  #recordFile(key: string) {
    return join(this.directory, key, "record.json")
  }

  #read(key: string): PreparationRecord | undefined {
    const file = this.#recordFile(key)
    if (!existsSync(file)) return undefined
    const read = Schema.decodeUnknownOption(Record)(readFileSync(file, "utf8"))
    return read._tag === "Some" && read.value.key === key ? read.value : undefined
  }

  #all() {
    return readdirSync(this.directory).flatMap((key) => {
      if (!/^[0-9a-f]{64}$/.test(key)) return []
      const usedAtMs = lstatSync(this.#recordFile(key), { throwIfNoEntry: false })?.mtimeMs ?? 0
      return [{ key, record: this.#read(key), usedAtMs }]
    })
  }
}
