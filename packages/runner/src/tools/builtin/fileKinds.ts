const signatures: ReadonlyArray<readonly [mediaType: string, matches: (text: string) => boolean]> = [
  ["image/png", (text) => text.startsWith("\x89PNG\r\n\x1a\n")],
  ["image/jpeg", (text) => text.startsWith("\xff\xd8\xff")],
  ["image/gif", (text) => /^GIF8[79]a/.test(text)],
  ["image/webp", (text) => text.startsWith("RIFF") && text.slice(8, 12) === "WEBP"],
  ["application/pdf", (text) => text.startsWith("%PDF-")]
]

/** Of what models can look at: by the first bytes, whatever the name says. */
export const mediaTypeOf = (bytes: Uint8Array): string | null => {
  const start = Buffer.from(bytes.subarray(0, 16)).toString("latin1")
  return signatures.find(([, matches]) => matches(start))?.[0] ?? null
}

/** Text has no NUL, which is how grep and git tell, too. */
export const isBinary = (start: Uint8Array): boolean => start.includes(0)
