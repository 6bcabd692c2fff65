/** Every contender stores this many bytes of JSON an event. */
export const payloadBytes = 420

/** A JSON object of exactly `bytes`, as an agent's message might be; what varies comes first. */
export const payloadOf = (mark: string, bytes = payloadBytes): string => {
  const bare = JSON.stringify({ mark, text: "" }).length
  return JSON.stringify({ mark, text: textOf(bytes - bare) })
}

const words = "The build passed on the second attempt after the cache was cleared and the lock was written again. "

/** Prose of exactly `length` characters: random bytes would flatter whoever does not compress. */
export const textOf = (length: number): string => words.repeat(Math.ceil(length / words.length)).slice(0, length)
