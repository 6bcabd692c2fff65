import { TroupeError } from "../errors.ts"

type QueryValue = string | number | boolean | null | undefined | ReadonlyArray<string>

/** A path with ids in it. What would lead elsewhere is refused before it is sent. */
export const path = (parts: TemplateStringsArray, ...ids: ReadonlyArray<string | number>): string =>
  parts.reduce((all, part, index) => {
    const id = String(ids[index - 1])
    if (id === "" || id === "." || id === "..") throw new TroupeError(`${JSON.stringify(id)} is no id`)
    return `${all}${encodeURIComponent(id)}${part}`
  })

/** The address of a path, with the parameters that are set. */
export const urlOf = (baseURL: string, at: string, query: object = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries<QueryValue>(query as never)) {
    if (value === undefined || value === null) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const asked = search.toString()
  return `${baseURL}${at}${asked === "" ? "" : `?${asked}`}`
}
