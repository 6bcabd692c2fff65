/**
 * Whether a text is what a pattern describes, `*` standing for anything. Both may come from far away, so this goes back
 * only to the last `*` and takes time in proportion to their product at worst; a regular expression would not.
 */
export const matchesWildcard = (pattern: string, text: string): boolean => {
  let at = 0
  let from = 0
  let star = -1
  let taken = 0
  while (from < text.length) {
    if (pattern[at] === "*") {
      star = at++
      taken = from
    } else if (at < pattern.length && pattern[at] === text[from]) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++taken
    } else return false
  }
  while (pattern[at] === "*") at++
  return at === pattern.length
}

/** The same for paths: `*` stays inside of one name, `**` is any number of them. */
export const matchesPath = (pattern: string, path: string): boolean => {
  const wanted = names(pattern)
  const given = names(path)
  let places = new Set([0])
  for (const name of given) {
    const next = new Set<number>()
    for (const place of open(wanted, places)) {
      const segment = wanted[place]
      if (segment === "**") next.add(place)
      else if (segment !== undefined && matchesWildcard(segment, name)) next.add(place + 1)
    }
    places = next
  }
  return open(wanted, places).has(wanted.length)
}

const names = (path: string): ReadonlyArray<string> => path.split("/").filter((name) => name !== "")

/** `**` may stand for nothing. */
const open = (wanted: ReadonlyArray<string>, places: ReadonlySet<number>): ReadonlySet<number> => {
  const all = new Set(places)
  for (const place of all) if (wanted[place] === "**") all.add(place + 1)
  return all
}

/** An absolute path without `.`, `..` and doubled slashes; what is relative begins at `base`. */
export const normalPath = (path: string, base: string): string => {
  const kept: Array<string> = []
  for (const name of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (name === "..") kept.pop()
    else if (name !== "" && name !== ".") kept.push(name)
  }
  return `/${kept.join("/")}`
}
