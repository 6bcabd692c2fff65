import { invalid, type ApiFailure } from "@troupe/domain/api/ApiError"

const depthMax = 64
/** A text of 32 MB can hold ten million lists: each takes far more room in memory than it took on the way. */
const valuesMax = 50_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b])
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d])

/** Where a string ends that begins at a place; the end of the text where it does not. */
const endOfString = (bytes: Uint8Array, begin: number): number => {
  for (let end = bytes.indexOf(quote, begin + 1); end >= 0; end = bytes.indexOf(quote, end + 1)) {
    let escapes = 0
    while (bytes[end - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
  return bytes.length
}

/**
 * What speaks against parsing a text of JSON: that it goes too deep, or has too many values. Looked for in the bytes,
 * because a parser that has made the values has already spent the time and the memory.
 */
export const shapeRefused = (bytes: Uint8Array): ApiFailure | undefined => {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === quote) at = endOfString(bytes, at)
    else if (byte === comma) values++
    else if (openings.has(byte)) {
      values++
      if (++depth > depthMax) return invalid("The request body is nested too deeply")
    } else if (closings.has(byte)) depth--
    if (values > valuesMax) return invalid(`The request body has more than ${valuesMax} values`)
  }
  return undefined
}
