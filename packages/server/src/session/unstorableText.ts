const nul = String.fromCharCode(0)

/** Where in a value the first text stands that no column takes: one with a NUL, or with half of a surrogate pair. */
export const unstorableText = (value: unknown, path = ""): string | null => {
  if (typeof value === "string") return value.includes(nul) || !value.isWellFormed() ? path : null
  if (typeof value !== "object" || value === null) return null
  for (const [key, part] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`
    const found = unstorableText(part, at) ?? unstorableText(key, at)
    if (found !== null) return found.toWellFormed().replaceAll(nul, "\u{fffd}")
  }
  return null
}
