import { lstatSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { git } from "./git.ts"

/** A file of a directory. Names are bytes, as the system has them. */
export interface OwnFile {
  readonly path: Buffer
  readonly bytes: number
}

const listed = (names: Buffer): ReadonlyArray<Buffer> => {
  const all: Array<Buffer> = []
  for (let from = 0, end = names.indexOf(0); end >= 0; from = end + 1, end = names.indexOf(0, from)) {
    all.push(names.subarray(from, end))
  }
  return all
}

const isRepository = (directory: string): Promise<boolean> =>
  git(directory, "rev-parse", "--is-inside-work-tree").then(
    (said) => said.toString().trim() === "true",
    () => false
  )

/** Names of what is not ignored: in a repository by its index and its rules, elsewhere by the rules alone. */
const names = async (directory: string): Promise<ReadonlyArray<Buffer>> => {
  const asked = ["ls-files", "-z", "--others", "--exclude-standard"]
  if (await isRepository(directory)) return listed(await git(directory, ...asked, "--cached"))
  const empty = mkdtempSync(join(tmpdir(), "troupe-cwd-"))
  try {
    await git(empty, "init", "--quiet")
    return listed(await git(directory, `--git-dir=${join(empty, ".git")}`, `--work-tree=${directory}`, ...asked))
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
}

const below = (directory: string, path: Buffer) => Buffer.concat([Buffer.from(`${directory}/`), path])

/** The files of a directory, without those that its rules ignore. Repositories in it are looked through by their own rules. */
export const ownFiles = async (directory: string): Promise<ReadonlyArray<OwnFile>> => {
  const all: Array<OwnFile> = []
  for (const path of new Map((await names(directory)).map((path) => [path.toString("latin1"), path])).values()) {
    const found = lstatSync(below(directory, path), { throwIfNoEntry: false })
    // In the index, and not on the disk any more.
    if (found === undefined) continue
    if (found.isFile() || found.isSymbolicLink()) all.push({ path, bytes: found.size })
    else if (found.isDirectory()) {
      const inner = path.toString().replace(/\/$/, "")
      const files = await ownFiles(join(directory, inner))
      all.push(...files.map((file) => ({ ...file, path: Buffer.concat([Buffer.from(`${inner}/`), file.path]) })))
    }
  }
  return all
}
