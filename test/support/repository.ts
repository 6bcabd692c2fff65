import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

const foreign = new Set(["node_modules", ".git", "dist", "fixtures"])
const generated = ["docs/reports", "bench/results"]

const walk = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    const name = relative(root, path).split(sep).join("/")
    if (foreign.has(entry.name) || generated.includes(name)) return []
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [name] : []
  })

/** The repository's own text files, paths with forward slashes. */
export const files = walk(root)

export const read = (file: string) => readFileSync(join(root, file), "utf8")
