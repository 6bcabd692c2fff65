import * as fc from "fast-check"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync
} from "node:fs"

/** A tree as a value: names as Latin-1, so that any bytes can be among them. */
export type Tree =
  | { readonly kind: "file"; readonly content: string; readonly mode: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly mode: number; readonly entries: Readonly<Record<string, Tree>> }

const name = fc.oneof(
  fc.constantFrom("a", "b", "c", "A", "a.b", "a-b", ".hidden", "new\nline", "caf\xe9", "\xc3\xa9", "back\\x5cx", " "),
  fc.stringMatching(/^[a-z]{1,8}$/)
)
const file = fc.record({
  kind: fc.constant("file" as const),
  content: fc.oneof(fc.string(), fc.constantFrom("", "x", "same")),
  mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0)
})
const symlink = fc.record({
  kind: fc.constant("symlink" as const),
  target: fc.constantFrom("a", "../b", "/etc/passwd", "nowhere", "caf\xe9")
})

export const trees: fc.Arbitrary<Tree & { kind: "directory" }> = fc.letrec<{
  tree: Tree
  directory: Tree & { kind: "directory" }
}>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, file, symlink, tie("directory")),
  directory: fc.record({
    kind: fc.constant("directory" as const),
    mode: fc.constantFrom(0o755, 0o700, 0o555),
    entries: fc.dictionary(name, tie("tree"), { maxKeys: 6, noNullPrototype: true })
  })
})).directory

const path = (directory: string, entry: string) => Buffer.from(`${directory}/${entry}`, "latin1")

/** `directory` is Latin-1 too. */
export const plant = (directory: string, { entries }: Tree & { kind: "directory" }): void => {
  for (const [entry, tree] of Object.entries(entries)) {
    const at = path(directory, entry)
    if (tree.kind === "symlink") symlinkSync(Buffer.from(tree.target, "latin1"), at)
    else if (tree.kind === "file") {
      writeFileSync(at, tree.content)
      chmodSync(at, tree.mode)
    } else {
      mkdirSync(at)
      plant(`${directory}/${entry}`, tree)
      chmodSync(at, tree.mode)
    }
  }
}

export const look = (directory: string): Record<string, Tree> =>
  Object.fromEntries(
    readdirSync(Buffer.from(directory, "latin1"), { encoding: "latin1" }).map((entry) => [
      entry,
      lookAt(directory, entry)
    ])
  )

const lookAt = (directory: string, entry: string): Tree => {
  const at = path(directory, entry)
  const stats = lstatSync(at)
  const mode = stats.mode & 0o777
  if (stats.isSymbolicLink()) return { kind: "symlink", target: readlinkSync(at, { encoding: "latin1" }) }
  if (stats.isFile()) return { kind: "file", content: readFileSync(at, "utf8"), mode }
  return { kind: "directory", mode, entries: look(`${directory}/${entry}`) }
}
