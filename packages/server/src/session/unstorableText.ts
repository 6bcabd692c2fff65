/** Tables take no NUL in a text and no half of a surrogate pair. */
export const storable = (text: string): boolean => text.isWellFormed() && !text.includes("\0")

/** Keys are as long as whoever sends them likes. */
const pathMax = 200

const shown = (path: string): string => {
  const short = path.length > pathMax ? `${path.slice(0, pathMax)}…` : path
  return short.toWellFormed().replaceAll("\0", "\u{fffd}")
}

/** Where in a value the first text stands that no column takes, by the names on the way there. */
export const unstorableText = (value: unknown, path = ""): string | null => {
  if (typeof value === "string") return storable(value) ? null : shown(path)
  if (typeof value !== "object" || value === null) return null
  for (const [key, part] of Object.entries(value)) {
    const at = path === "" ? key : `${path}.${key}`
    const found = storable(key) ? unstorableText(part, at) : shown(at)
    if (found !== null) return found
  }
  return null
}
