// Swaps a directory and a symbolic link under one name as fast as it can, until it is killed.
import { renameSync, writeSync } from "node:fs"

const [, , name = "", link = "", aside = ""] = process.argv
let swaps = 0
while (true) {
  renameSync(name, aside)
  renameSync(link, name)
  renameSync(name, link)
  renameSync(aside, name)
  if (++swaps === 10) writeSync(1, "swapping\n")
}
