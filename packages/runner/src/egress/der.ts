/** The few shapes of ASN.1's DER encoding that a certificate is made of. */

const length = (size: number): Buffer => {
  if (size < 0x80) return Buffer.from([size])
  const bytes =
    size < 0x100 ? [size] : size < 0x10000 ? [size >> 8, size & 0xff] : [size >> 16, (size >> 8) & 0xff, size & 0xff]
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

const tagged = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), length(content.length), content])
}

export const sequence = (...parts: ReadonlyArray<Uint8Array>) => tagged(0x30, ...parts)
export const set = (...parts: ReadonlyArray<Uint8Array>) => tagged(0x31, ...parts)
export const octets = (...parts: ReadonlyArray<Uint8Array>) => tagged(0x04, ...parts)
export const utf8 = (text: string) => tagged(0x0c, Buffer.from(text))
export const yes = tagged(0x01, Buffer.from([0xff]))

/** A positive number, most significant byte first. */
export const integer = (bytes: Uint8Array) => {
  const from = bytes.findIndex((byte) => byte !== 0)
  const digits = from === -1 ? Uint8Array.of(0) : bytes.subarray(from)
  return tagged(0x02, digits[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits)
}

export const bits = (bytes: Uint8Array, unused = 0) => tagged(0x03, Buffer.from([unused]), bytes)

export const oid = (dotted: string) => {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number)
  const base128 = (value: number): ReadonlyArray<number> =>
    value < 0x80 ? [value] : [...base128(Math.floor(value / 128)).map((byte) => byte | 0x80), value % 128]
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** A moment to the second, in the two forms that certificates write before and after 2050. */
export const time = (ms: number) => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "")
  return digits < "2050" ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits))
}

/** `[tag]` around whole values. */
export const explicit = (tag: number, ...parts: ReadonlyArray<Uint8Array>) => tagged(0xa0 | tag, ...parts)
/** `[tag]` in the place of a primitive value's own. */
export const implicit = (tag: number, content: Uint8Array) => tagged(0x80 | tag, content)
