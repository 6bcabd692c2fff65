const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60]
] as const

const inOneNumber = (seconds: number): string => {
  const unit = units.find(([, size]) => seconds >= size)
  return unit === undefined ? `${seconds}s` : `${Math.floor(seconds / unit[1])}${unit[0]}`
}

/** How long ago, in one number, or in how long. */
export const ago = (time: string, now: number): string => {
  const seconds = Math.round((now - Date.parse(time)) / 1_000)
  return seconds < 0 ? `in ${inOneNumber(-seconds)}` : `${inOneNumber(seconds)} ago`
}

/** The same of what may not have been. */
export const agoOf = (time: string | null, now: number): string | null => (time === null ? null : ago(time, now))

/** The same with the time itself, where there is room. */
export const agoExactly = (time: string, now: number): string => `${ago(time, now)}, at ${time}`
