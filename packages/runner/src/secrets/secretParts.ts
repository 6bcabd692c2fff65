/** Fields of the values that are agreed on which are secret by themselves. */
const fields: ReadonlySet<string> = new Set(["apiKey", "adToken", "bearer"])

const texts = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.values(value).filter((one) => typeof one === "string") : []

const within = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => {
    if (fields.has(key) && typeof one === "string") return [one]
    // `Bearer sk-…`: what comes after the scheme is the secret.
    if (key === "headers") return texts(one).flatMap((text) => [text, text.slice(text.indexOf(" ") + 1)])
    return within(one)
  })
}

/** What must not be said of a secret: all of it, and where it is a card or a set of headers, the keys inside. */
export const secretParts = (value: string): ReadonlyArray<string> => {
  try {
    return [value, ...within(JSON.parse(value))]
  } catch {
    return [value]
  }
}
