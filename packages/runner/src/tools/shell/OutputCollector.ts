import { Effect } from "effect"
import type { Spill } from "../Spill.ts"

export interface OutputLimits {
  /** What is shown of the beginning and of the end, once there is more than both together. */
  readonly headBytes: number
  readonly tailBytes: number
}

export interface Collected {
  readonly text: string
  readonly bytes: number
  readonly isTruncated: boolean
  /** Where all of it is, if it was too long to be shown. */
  readonly spill: string | null
}

/** Keeps the beginning and the end of an output of any length, and has the whole written to a file once it is too long. */
export class OutputCollector {
  private readonly limits: OutputLimits
  private readonly openSpill: Effect.Effect<Spill>
  private head: Array<Uint8Array> = []
  private tail: Array<Uint8Array> = []
  private tailSize = 0
  private spill: Spill | null = null
  private isSpillFull = false
  bytes = 0

  constructor(limits: OutputLimits, openSpill: Effect.Effect<Spill>) {
    this.limits = limits
    this.openSpill = openSpill
  }

  readonly take = (bytes: Uint8Array): Effect.Effect<void> =>
    bytes.length === 0
      ? Effect.void
      : Effect.andThen(
          this.spilling(bytes),
          Effect.sync(() => this.keep(bytes))
        )

  result(): Collected {
    const { headBytes, tailBytes } = this.limits
    const isTruncated = this.bytes > headBytes + tailBytes
    const head = Buffer.concat(this.head)
    const tail = Buffer.concat(this.tail)
    const { bytes } = this
    if (!isTruncated) return { text: decode(Buffer.concat([head, tail])), bytes, isTruncated, spill: null }
    const end = tail.subarray(Math.max(0, tail.length - tailBytes))
    const left = bytes - head.length - end.length
    const spill = this.spill?.path ?? null
    const where =
      spill === null
        ? ""
        : this.isSpillFull
          ? ` The beginning of all of it is in ${spill}.`
          : ` All of it is in ${spill}.`
    const gap = `\n\n[${left} bytes are left out here.${where}]\n\n`
    return { text: decode(withoutCutEnd(head)) + gap + decode(withoutCutStart(end)), bytes, isTruncated, spill }
  }

  private spilling(bytes: Uint8Array): Effect.Effect<void> {
    if (this.isSpillFull) return Effect.void
    if (this.spill !== null) return this.write(this.spill, bytes)
    if (this.bytes + bytes.length <= this.limits.headBytes + this.limits.tailBytes) return Effect.void
    return Effect.flatMap(this.openSpill, (spill) => {
      this.spill = spill
      const before = [...this.head, ...this.tail]
      return Effect.forEach([...before, bytes], (part) => this.write(spill, part), { discard: true })
    })
  }

  private write(spill: Spill, bytes: Uint8Array): Effect.Effect<void> {
    return Effect.map(spill.write(bytes), (isTaken) => {
      if (!isTaken) this.isSpillFull = true
    })
  }

  /** Without a file for what is too long. */
  keep(bytes: Uint8Array): void {
    const room = Math.max(0, this.limits.headBytes - this.bytes)
    this.bytes += bytes.length
    // Copies: a small part of a chunk would keep all of it.
    if (room > 0) this.head.push(Uint8Array.prototype.slice.call(bytes, 0, room))
    if (bytes.length <= room) return
    this.tail.push(Uint8Array.prototype.slice.call(bytes, Math.max(room, bytes.length - this.limits.tailBytes)))
    this.tailSize += this.tail.at(-1)!.length
    // The first parts go as soon as the others are enough; many small ones become one.
    while (this.tailSize - this.tail[0]!.length >= this.limits.tailBytes) this.tailSize -= this.tail.shift()!.length
    if (this.tail.length > partsMax) this.tail = [Buffer.concat(this.tail)]
  }
}

const partsMax = 256

/** NUL can't be kept everywhere that text can. */
const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\0", "\ufffd")

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

const withoutCutStart = (bytes: Uint8Array): Uint8Array => {
  let at = 0
  while (at < 3 && isContinuation(bytes[at])) at++
  return bytes.subarray(at)
}

/** Without a last character whose other bytes are missing. */
const withoutCutEnd = (bytes: Uint8Array): Uint8Array => {
  let at = bytes.length
  while (bytes.length - at < 3 && at > 0 && isContinuation(bytes[at - 1])) at--
  const lead = bytes[at - 1] ?? 0
  const wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.length - at + 1 < wanted ? bytes.subarray(0, at - 1) : bytes
}
