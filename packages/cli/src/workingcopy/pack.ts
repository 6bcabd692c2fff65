import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { exitCodes } from "../app/exitCodes.ts"
import { progressLine, telling } from "../app/progress.ts"
import { Trouble } from "../app/Trouble.ts"
import { git } from "./git.ts"
import { type OwnFile, ownFiles } from "./ownFiles.ts"

export interface Limits {
  readonly bytesMax: number
  readonly filesMax: number
}

/** What goes along with a session that begins. An agent can clone by itself what is larger. */
export const limits: Limits = { bytesMax: 256 * 1_048_576, filesMax: 50_000 }

/** As many commits as people look back at. */
const historyDepth = 100

/** A directory's files in an archive, which is gone once it is disposed of. */
export interface Packed extends Disposable {
  readonly file: string
  readonly files: number
  readonly bytes: number
  /** Whether the repository is among them. */
  readonly hasHistory: boolean
}

export const mebibytes = (bytes: number): string =>
  bytes < 104_858 ? `${Math.ceil(bytes / 1_024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`

const bytesOf = (files: ReadonlyArray<OwnFile>) => files.reduce((sum, { bytes }) => sum + bytes, 0)

/** Where most of it is: the parts of the directory that hold the most. */
const largest = (files: ReadonlyArray<OwnFile>): string => {
  const parts = new Map<string, number>()
  for (const { bytes, path } of files) {
    const [first] = path.toString().split("/")
    parts.set(first!, (parts.get(first!) ?? 0) + bytes)
  }
  const shown = [...parts].toSorted(([, one], [, other]) => other - one).slice(0, 3)
  return shown.map(([name, bytes]) => `${name} (${mebibytes(bytes)})`).join(", ")
}

const refuseLarge = (directory: string, files: ReadonlyArray<OwnFile>, { bytesMax, filesMax }: Limits): void => {
  const bytes = bytesOf(files)
  if (bytes <= bytesMax && files.length <= filesMax) return
  throw new Trouble({
    what: `${directory} is too large to be given to an agent: ${files.length} files, ${mebibytes(bytes)}; at most are ${filesMax} files and ${mebibytes(bytesMax)}.`,
    advice: `Most is in ${largest(files)}. What .gitignore names is left out; or begin in a smaller directory.`,
    code: exitCodes.usage
  })
}

const isTop = (directory: string): Promise<boolean> =>
  git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    .then(() => git(directory, "rev-parse", "--show-toplevel"))
    .then(
      (top) => realpathSync(top.toString().trim()) === directory,
      () => false
    )

const bytesBelow = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0
  )

/** The repository of a directory that is one, as far back as fits; its index says that nothing is changed yet. */
const cloned = async (directory: string, into: string, bytesMax: number): Promise<boolean> => {
  if (!(await isTop(directory))) return false
  for (const depth of [historyDepth, 1]) {
    rmSync(into, { recursive: true, force: true })
    const from = pathToFileURL(directory).href
    await git(directory, "clone", "--quiet", "--no-checkout", "--depth", String(depth), from, into)
    if (bytesBelow(into) > bytesMax) continue
    // It would lead to a directory that the agent has not.
    await git(into, "remote", "remove", "origin")
    await git(into, "read-tree", "HEAD")
    return true
  }
  return false
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Files that change while they are read are no failure. */
const changedMeanwhile = 1

const tar = (args: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn("tar", args, { stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
    const fail = (why: string) =>
      reject(new Trouble({ what: `The files could not be packed: ${why}`, advice: null, code: exitCodes.failed }))
    child.once("error", ({ message }) => fail(message))
    child.once("close", (code) =>
      code === 0 || code === changedMeanwhile
        ? resolve()
        : fail(said.trim().split("\n").at(-1) ?? `tar ended with ${code}`)
    )
  })

/** Packs a directory: a repository as its clone with what is not committed, any other as a copy. Null: nothing is in it. */
export const pack = async (given: string, within: Limits = limits): Promise<Packed | null> => {
  const directory = realpathSync(given)
  const files = await ownFiles(directory)
  refuseLarge(directory, files, within)
  const place = mkdtempSync(join(tmpdir(), "troupe-cwd-"))
  const remove = () => rmSync(place, { recursive: true, force: true })
  try {
    const [clone, list, file] = ["clone", "names", "files.tar.gz"].map((name) => join(place, name)) as [
      string,
      string,
      string
    ]
    const hasHistory = await cloned(directory, clone, within.bytesMax - bytesOf(files))
    if (files.length === 0 && !hasHistory) {
      remove()
      return null
    }
    writeFileSync(list, Buffer.concat(files.flatMap(({ path }) => [path, Buffer.of(0)])))
    const history = hasHistory ? ["-C", clone, ".git"] : []
    using _progress = telling(() => `Packing ${mebibytes(bytesOf(files))}: ${progressLine(sizeOf(file), 0)}`)
    await tar(["-czf", file, ...history, "-C", directory, "--no-recursion", "--null", "-T", list])
    return { file, files: files.length, bytes: statSync(file).size, hasHistory, [Symbol.dispose]: remove }
  } catch (cause) {
    remove()
    throw cause
  }
}
