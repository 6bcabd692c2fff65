/** A header as somebody types it in. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** What is wrong with one of them, in words; null where each has a name and a value, or neither. */
export const halfOf = (headers: ReadonlyArray<Header> | null): string | null => {
  const half = headers?.find((header) => (header.name.trim() === "") !== (header.value === ""))
  return half === undefined ? null : `The header ${half.name.trim() || "without a name"} has one half only.`
}

/** What is sent: null where there are none. */
export const headersOf = (headers: ReadonlyArray<Header>): Readonly<Record<string, string>> | null => {
  const given = headers.filter(({ name }) => name.trim() !== "")
  return given.length === 0 ? null : Object.fromEntries(given.map(({ name, value }) => [name.trim(), value]))
}
