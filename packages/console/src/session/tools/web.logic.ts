/** An address that a link may lead to; null for whatever else stands where one belongs. */
export const linkable = (address: string): string | null => {
  const url = URL.parse(address)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null
}

export interface FetchedPage {
  readonly url: string
  readonly title: string | null
  /** Null for 200. */
  readonly status: number | null
  /** Where it is kept, who read it, how much of it is shown. */
  readonly notes: ReadonlyArray<string>
  readonly text: string
}

const bracketed = /^\[(.+)\]$/s

/** Of `web_fetch`: what it is, an empty line, what is there, and perhaps how much of it that was. */
export const pageIn = (answer: string): FetchedPage => {
  const at = answer.indexOf("\n\n")
  const [url = "", ...facts] = (at < 0 ? answer : answer.slice(0, at)).split("\n")
  const rest = at < 0 ? "" : answer.slice(at + 2)
  const fact = (name: string) => facts.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
  const ending = /(?:^|\n\n)\[((?:Shown are|A binary file)[^\n]*)\]$/.exec(rest)
  const status = fact("Status")
  return {
    url,
    title: fact("Title"),
    status: status === null ? null : Number(status),
    notes: [...facts.flatMap((line) => bracketed.exec(line)?.[1] ?? []), ...(ending === null ? [] : [ending[1]!])],
    text: ending === null ? rest : rest.slice(0, ending.index)
  }
}

export interface SearchResult {
  readonly title: string
  readonly published: string | null
  readonly url: string
  readonly snippet: string
}

const entry = /^\d+\. (.*?)(?: \(([^()]*\d[^()]*)\))?\n {3}(\S+)\n {3}(.*)$/s

/** Of `web_search`; null where it is no list of results. */
export const resultsIn = (answer: string): ReadonlyArray<SearchResult> | null => {
  if (answer === "Nothing was found.") return []
  const results = answer.split("\n\n").map((one) => entry.exec(one))
  return results.every((one) => one !== null)
    ? results.map(([, title, published, url, snippet]) => ({
        title: title!,
        published: published ?? null,
        url: url!,
        snippet: snippet!
      }))
    : null
}
