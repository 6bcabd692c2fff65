const begins = (bytes: Uint8Array, ...signature: ReadonlyArray<number>): boolean =>
  signature.every((byte, at) => bytes[at] === byte)

const isWebp = (bytes: Uint8Array): boolean =>
  begins(bytes, 0x52, 0x49, 0x46, 0x46) && Buffer.from(bytes.subarray(8, 12)).toString("latin1") === "WEBP"

const isText = (bytes: Uint8Array): boolean => {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0")
  } catch {
    return false
  }
}

/** What a file is, by what is in it and not by its name; null for what no model can look at. */
export const mediaTypeOf = (bytes: Uint8Array): string | null => {
  if (begins(bytes, 0x89, 0x50, 0x4e, 0x47)) return "image/png"
  if (begins(bytes, 0xff, 0xd8, 0xff)) return "image/jpeg"
  if (begins(bytes, 0x47, 0x49, 0x46, 0x38)) return "image/gif"
  if (begins(bytes, 0x25, 0x50, 0x44, 0x46)) return "application/pdf"
  if (isWebp(bytes)) return "image/webp"
  return isText(bytes) ? "text/plain" : null
}
