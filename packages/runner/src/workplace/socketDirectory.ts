import { Effect } from "effect"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeWhole } from "../journal/files.ts"

/**
 * A directory for sockets until the scope closes: its name is short enough for the kernel, whatever the state directory is
 * called. `noted` remembers it, because a process may be killed.
 */
export const socketDirectory = (noted: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      if (existsSync(noted)) rmSync(readFileSync(noted, "utf8"), { recursive: true, force: true })
      const directory = mkdtempSync(join(tmpdir(), "troupe-"))
      writeWhole(noted, directory)
      // The accounts of sandboxes pass through it to their own socket, and can't list the others.
      chmodSync(directory, 0o711)
      return directory
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
