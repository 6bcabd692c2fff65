import { Result, Schema } from "effect"
import { CommandId } from "../Ids.ts"
import { Envelope, Sha256Hex, StreamKind } from "../log/Envelope.ts"

/** The name of the format. What a line of a known kind means never changes under it; new kinds of lines may come. */
export const bundleFormat = "troupe.bundle.1"

const { actor: _, ...envelope } = Envelope.fields

const mark = { commandId: CommandId, digest: Sha256Hex, body: Schema.String }

/** A bundle is lines of JSON, each an object that names its kind: a header, then everything else, then the end. */
export const BundleLine = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("header"),
    format: Schema.Literal(bundleFormat),
    stream: StreamKind,
    streamId: Schema.String,
    workspaceId: Envelope.fields.workspaceId,
    /** How many events there are, and the chain after the last one. */
    version: Schema.Int,
    chain: Sha256Hex,
    /** Milliseconds since 1970. */
    exportedAt: Schema.Int
  }),
  Schema.Struct({
    kind: Schema.Literal("event"),
    ...envelope,
    actorText: Schema.String,
    payload: Schema.NullOr(Schema.String)
  }),
  /** What stood at a place when the bundle was made: the chain, and SHA-256 of the canonical JSON of the folded state. */
  Schema.Struct({
    kind: Schema.Literal("checkpoint"),
    seq: Schema.Int,
    chain: Sha256Hex,
    foldVersion: Schema.Int,
    stateDigest: Sha256Hex
  }),
  Schema.Struct({ kind: Schema.Literal("command"), ...mark, seq: Schema.Int }),
  Schema.Struct({ kind: Schema.Literal("rejection"), ...mark, version: Schema.Int, reason: Schema.String }),
  /** Without it, the bundle was cut off. */
  Schema.Struct({ kind: Schema.Literal("end"), events: Schema.Int, commands: Schema.Int, rejections: Schema.Int })
])
export type BundleLine = typeof BundleLine.Type
export type LineOf<Kind extends BundleLine["kind"]> = Extract<BundleLine, { readonly kind: Kind }>

/** Why a bundle can't be read, and at which line. */
export class BundleUnreadable extends Schema.TaggedError<BundleUnreadable>()("BundleUnreadable", {
  line: Schema.Int,
  reason: Schema.TaggedUnion({
    /** It does not begin with the header of a bundle. */
    NotABundle: {},
    /** It is a bundle of a format that this release does not know. */
    OtherFormat: { format: Schema.String },
    LineTooLong: { length: Schema.Int, max: Schema.Int },
    Garbage: { detail: Schema.String },
    /** A header after the first line, or anything after the end. */
    OutOfPlace: { kind: Schema.String },
    Truncated: { detail: Schema.String }
  })
}) {
  override get message() {
    const { reason } = this
    switch (reason._tag) {
      case "NotABundle":
        return `Line ${this.line} is not the header of a bundle`
      case "OtherFormat":
        return `The bundle is of format ${reason.format}; ${bundleFormat} is known here`
      case "LineTooLong":
        return `Line ${this.line} has ${reason.length} characters; at most ${reason.max} are taken`
      case "Garbage":
        return `Line ${this.line} can't be read: ${reason.detail}`
      case "OutOfPlace":
        return `Line ${this.line} of kind ${reason.kind} is out of place`
      case "Truncated":
        return `The bundle is cut off after line ${this.line}: ${reason.detail}`
    }
  }
}

/** A payload may fill a command (1 MiB, escaped twice at worst); more is no event of ours. */
export const lineCharsMax = 8_388_608

const decode = Schema.decodeUnknownResult(BundleLine)
const kinds: ReadonlySet<unknown> = new Set(["header", "event", "checkpoint", "command", "rejection", "end"])

/** Reads a bundle line by line, as they come. */
export class BundleReader {
  readonly #max: number
  #line = 0
  #ended = false
  readonly #seen = { event: 0, command: 0, rejection: 0 }

  constructor(options: { readonly lineCharsMax?: number } = {}) {
    this.#max = options.lineCharsMax ?? lineCharsMax
  }

  /** What the next line says; null for an empty one and for kinds that came after this release. */
  push(text: string): Result.Result<BundleLine | null, BundleUnreadable> {
    this.#line++
    if (text.length > this.#max) return this.#fail({ _tag: "LineTooLong", length: text.length, max: this.#max })
    if (text.trim() === "" && this.#line > 1) return Result.succeed(null)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return this.#fail(this.#line === 1 ? { _tag: "NotABundle" } : { _tag: "Garbage", detail: "it is not JSON" })
    }
    const { format, kind } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>
    if (this.#line === 1) {
      if (kind !== "header" || typeof format !== "string") return this.#fail({ _tag: "NotABundle" })
      if (format !== bundleFormat) return this.#fail({ _tag: "OtherFormat", format: format.slice(0, 100) })
    } else if (kind === "header" || this.#ended) {
      return this.#fail({ _tag: "OutOfPlace", kind: String(kind).slice(0, 100) })
    }
    if (!kinds.has(kind)) {
      if (typeof kind === "string") return Result.succeed(null)
      return this.#fail({ _tag: "Garbage", detail: "it names no kind" })
    }
    const line = decode(value)
    if (Result.isFailure(line)) return this.#fail({ _tag: "Garbage", detail: line.failure.message.slice(0, 500) })
    return this.#count(line.success)
  }

  /** Says whether all lines were there. */
  end(): Result.Result<void, BundleUnreadable> {
    if (this.#line === 0) return this.#fail({ _tag: "NotABundle" })
    return this.#ended ? Result.succeed(undefined) : this.#fail({ _tag: "Truncated", detail: "its end is missing" })
  }

  #count(line: BundleLine): Result.Result<BundleLine, BundleUnreadable> {
    if (line.kind === "event" || line.kind === "command" || line.kind === "rejection") this.#seen[line.kind]++
    if (line.kind !== "end") return Result.succeed(line)
    this.#ended = true
    const { command, event, rejection } = this.#seen
    if (line.events === event && line.commands === command && line.rejections === rejection) return Result.succeed(line)
    const was = `${event} events, ${command} commands and ${rejection} rejections`
    const said = `${line.events}, ${line.commands} and ${line.rejections}`
    return this.#fail({ _tag: "Truncated", detail: `it holds ${was} where ${said} were written` })
  }

  #fail(reason: BundleUnreadable["reason"]): Result.Result<never, BundleUnreadable> {
    return Result.fail(new BundleUnreadable({ line: this.#line, reason }))
  }
}
