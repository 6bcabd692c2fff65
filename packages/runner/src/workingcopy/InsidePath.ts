import { refuse } from "./failures.ts"
import { type Name, nameFromText, nameMax, nameOf } from "./Name.ts"

const pathBytesMax = 4_095

/** The names on a path that someone asked for; `..` is among them, since only links tell what it leads to. */
export const parsePath = (path: string, at: string): ReadonlyArray<Name> => {
  if (path === "") refuse(path, { _tag: "BadPath", detail: "it is empty" })
  if (path.includes("\0")) refuse(shown(path), { _tag: "BadPath", detail: "it has a NUL byte" })
  if (!path.isWellFormed()) refuse(shown(path), { _tag: "BadPath", detail: "it is not well-formed text" })
  if (path.length > pathBytesMax || Buffer.byteLength(path) > pathBytesMax) {
    refuse(shown(path), { _tag: "BadPath", detail: `it is longer than ${pathBytesMax} bytes` })
  }
  const names = below(path, at) ?? refuse(path, { _tag: "Outside" })
  return names.map((name) => {
    const parsed = nameFromText(name)
    if (parsed.length > nameMax) refuse(path, { _tag: "BadPath", detail: `a name is longer than ${nameMax} bytes` })
    return parsed
  })
}

/** The names on a link's target, or undefined where it leads out. A slash at its end demands a directory. */
export const parseTarget = (target: string, at: string): ReadonlyArray<Name> | undefined =>
  below(target, Buffer.from(at).toString("latin1"))
    ?.map(nameOf)
    .concat(target.endsWith("/") ? [nameOf(".")] : [])

const below = (path: string, at: string): ReadonlyArray<string> | undefined => {
  const names = path.split("/").filter((name) => name !== "" && name !== ".")
  if (!path.startsWith("/")) return names
  const above = at.split("/").filter((name) => name !== "")
  return above.every((name, index) => names[index] === name) ? names.slice(above.length) : undefined
}

const shownMax = 200

/** A bad path goes back to who sent it, but not whole. */
const shown = (path: string): string =>
  (path.length > shownMax ? `${path.slice(0, shownMax)}…` : path).toWellFormed().replaceAll("\0", "\\0")
