import { accessSync, constants } from "node:fs"
import { join } from "node:path"

const folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]

/** What our own scripts on the host find by name, whatever the runner's PATH is. */
export const systemPath = folders.join(":")

/** Where the host has a program. Absolute, so that no PATH that an agent can set decides what runs. */
export const findTool = (name: string): string | undefined =>
  folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
