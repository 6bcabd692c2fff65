/**
 * The one text of a JSON value: keys in the order of their UTF-16 units, no spaces, absent where undefined. Equal values
 * have equal texts, so that digests of them agree whoever wrote them down.
 */
export const canonical = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) {
    let text = "["
    for (let i = 0; i < value.length; i++) text += (i === 0 ? "" : ",") + canonical(value[i])
    return text + "]"
  }
  let text = "{"
  for (const key of Object.keys(value).sort()) {
    const field = (value as Record<string, unknown>)[key]
    if (field === undefined) continue
    text += (text.length === 1 ? "" : ",") + JSON.stringify(key) + ":" + canonical(field)
  }
  return text + "}"
}

/** How many bytes a text has in UTF-8. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    bytes++
    if (code < 0x800) continue
    // A pair is two units and four bytes; a lone surrogate becomes the three bytes of U+FFFD.
    const paired = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
    bytes++
    if (paired) i++
  }
  return bytes
}
