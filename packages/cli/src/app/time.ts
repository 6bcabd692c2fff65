const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60]
] as const

/** How long ago, in one number. */
export const ago = (time: string, now: number): string => {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1_000))
  const unit = units.find(([, size]) => seconds >= size)
  return unit === undefined ? `${seconds}s ago` : `${Math.floor(seconds / unit[1])}${unit[0]} ago`
}
