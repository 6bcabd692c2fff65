import type { Name } from "../../../workingcopy/Name.ts"
import { nameOf } from "../../../workingcopy/Name.ts"

/** What of a tree goes from one side to the other. */
export type Item =
  | { readonly _tag: "Directory"; readonly path: Name; readonly mode: number }
  | { readonly _tag: "Symlink"; readonly path: Name; readonly target: Name }
  | {
      readonly _tag: "File"
      readonly path: Name
      readonly mode: number
      readonly size: number
      readonly modifiedS: number
      readonly content: Iterable<Uint8Array>
    }

const block = 512
const padding = (size: number) => Buffer.alloc((block - (size % block)) % block)
const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`

const header = (name: string, type: string, size: number, mode: number, modifiedS: number, link = ""): Buffer => {
  const bytes = Buffer.alloc(block)
  bytes.write(name.slice(0, 100), 0, "latin1")
  bytes.write(octal(mode, 8), 100)
  bytes.write(octal(0, 8), 108)
  bytes.write(octal(0, 8), 116)
  // Beyond 8 GiB the number is binary, as all tars of today read it.
  if (size <= 0o77777777777) bytes.write(octal(size, 12), 124)
  else {
    bytes.writeUInt8(0x80, 124)
    bytes.writeBigUInt64BE(BigInt(size), 128)
  }
  bytes.write(octal(modifiedS, 12), 136)
  bytes.write("        ", 148)
  bytes.write(type, 156)
  bytes.write(link.slice(0, 100), 157, "latin1")
  bytes.write("ustar  \0", 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return bytes
}

/** A name or target that does not fit comes before its entry, as GNU's tar has it. */
function* long(type: "L" | "K", text: string): Generator<Uint8Array> {
  if (text.length <= 100) return
  const bytes = Buffer.from(`${text}\0`, "latin1")
  yield header("././@LongLink", type, bytes.length, 0, 0)
  yield bytes
  yield padding(bytes.length)
}

/** An archive of these, relative to the root. */
export function* pack(items: Iterable<Item>): Generator<Uint8Array> {
  for (const item of items) {
    const name = item.path.slice(1)
    yield* long("L", name)
    if (item._tag === "Directory") yield header(name, "5", 0, item.mode, 0)
    else if (item._tag === "Symlink") {
      yield* long("K", item.target)
      yield header(name, "2", 0, 0o777, 0, item.target)
    } else {
      yield header(name, "0", item.size, item.mode, item.modifiedS)
      let left = item.size
      for (const piece of item.content) {
        const part = piece.subarray(0, left)
        left -= part.length
        yield part
        if (left === 0) break
      }
      // A file that shrank meanwhile is carried again: what its header has promised is kept.
      if (left > 0) yield Buffer.alloc(left)
      yield padding(item.size)
    }
  }
  yield Buffer.alloc(2 * block)
}

export interface Unpacked {
  readonly path: Name
  readonly type: "file" | "symlink" | "link"
  readonly target: Name
  /** Where its content is in the archive. */
  readonly at: number
  readonly size: number
}

/** Reads an archive that a machine has made: nothing in it is believed but that it has these entries. */
export function* unpack(size: number, read: (at: number, length: number) => Uint8Array): Generator<Unpacked> {
  let name: string | null = null
  let link: string | null = null
  for (let at = 0; at + block <= size;) {
    const bytes = Buffer.from(read(at, block))
    if (bytes.length < block || bytes.every((byte) => byte === 0)) return
    at += block
    const length = numberIn(bytes.subarray(124, 136))
    const type = bytes.toString("latin1", 156, 157)
    if (!Number.isSafeInteger(length) || length < 0 || at + length > size) return
    const content = () => Buffer.from(read(at, length))
    if (type === "L" || type === "K") {
      const text = textIn(length > 65_536 ? Buffer.alloc(0) : content())
      if (type === "L") name = text
      else link = text
    } else if (type === "x") {
      const found = paxIn(length > 65_536 ? Buffer.alloc(0) : content())
      name = found.get("path") ?? name
      link = found.get("linkpath") ?? link
    } else {
      const prefix = bytes.toString("latin1", 257, 263) === "ustar\0" ? textIn(bytes.subarray(345, 500)) : ""
      const short = textIn(bytes.subarray(0, 100))
      const path = absolute(name ?? (prefix === "" ? short : `${prefix}/${short}`))
      const target = link ?? textIn(bytes.subarray(157, 257))
      if (type === "0" || type === "\0") yield { path, type: "file", target: nameOf(""), at, size: length }
      if (type === "1") yield { path, type: "link", target: absolute(target), at, size: 0 }
      if (type === "2") yield { path, type: "symlink", target: nameOf(target), at, size: 0 }
      name = link = null
    }
    at += Math.ceil(length / block) * block
  }
}

const absolute = (path: string): Name => nameOf(path.startsWith("/") ? path : `/${path}`)

const textIn = (bytes: Buffer): string => {
  const end = bytes.indexOf(0)
  return bytes.toString("latin1", 0, end < 0 ? bytes.length : end)
}

const numberIn = (bytes: Buffer): number =>
  (bytes[0]! & 0x80) === 0
    ? Number.parseInt(bytes.toString("latin1").replaceAll("\0", " ").trim() || "0", 8)
    : Number(bytes.readBigUInt64BE(4))

const paxIn = (bytes: Buffer): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.toString("latin1", at, space))
    if (space < 0 || !Number.isInteger(length) || length <= 0) break
    const line = bytes.toString("latin1", space + 1, at + length - 1)
    const equals = line.indexOf("=")
    found.set(line.slice(0, equals), line.slice(equals + 1))
    at += length
  }
  return found
}
