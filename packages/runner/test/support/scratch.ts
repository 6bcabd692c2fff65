import { Effect, type Scope } from "effect"
import { spawnSync } from "node:child_process"
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** A directory of the test's own, gone when its scope closes, whatever was locked, nested or badly named in it. */
export const scratch: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(realpathSync(tmpdir()), "troupe-files-"))),
  (path) =>
    Effect.sync(() => {
      spawnSync("chmod", ["-R", "u+rwx", path], { stdio: "ignore" })
      spawnSync("rm", ["-rf", path])
    })
)

/** Makes the files, and the directories they are in. */
export const fill = (root: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)

/** Directories in each other, deeper than any path can name. */
export const makeDeep = (path: string, levels: number): void => {
  mkdirSync(path)
  let here = openSync(path, constants.O_RDONLY)
  for (let level = 0; level < levels; level++) {
    mkdirSync(`/proc/self/fd/${here}/d`)
    const next = openSync(`/proc/self/fd/${here}/d`, constants.O_RDONLY)
    closeSync(here)
    here = next
  }
  closeSync(here)
}
