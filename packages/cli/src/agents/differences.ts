/** A place in a file that says something else than what is there. */
export interface Difference {
  readonly path: string
  /** Undefined where there is nothing. */
  readonly now: unknown
  readonly wanted: unknown
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A model may be named by its id alone. */
const sameName = (wanted: unknown, now: unknown) => typeof wanted === "string" && isFields(now) && now["id"] === wanted

/** What a file says that is not so. What it leaves out is left as it is. */
export const differences = (wanted: unknown, now: unknown, path = ""): ReadonlyArray<Difference> => {
  if (isFields(wanted) && isFields(now)) {
    return Object.keys(wanted).flatMap((key) =>
      differences(wanted[key], now[key], path === "" ? key : `${path}.${key}`)
    )
  }
  if (Array.isArray(wanted) && Array.isArray(now) && wanted.length === now.length) {
    return wanted.flatMap((one, at) => differences(one, now[at], `${path}[${at}]`))
  }
  if (wanted === now || (path === "model" && sameName(wanted, now)) || (wanted === null && now === undefined)) return []
  return [{ path, now, wanted }]
}
