// npm run check:lint: oxlint, and a sentence for the one rule of ours that has no message to be set.
import { spawnSync } from "node:child_process"

const args = process.argv.slice(2)
const { status } = spawnSync("oxlint", args, { stdio: "inherit" })
if (status !== 0) {
  const { stdout } = spawnSync("oxlint", [...args, "--format=json"], { encoding: "utf8", maxBuffer: 2 ** 28 })
  if (stdout?.includes("import(no-cycle)")) {
    console.error(
      "Files that import each other can only be read, tested and loaded together: move what both need to a file of its own that imports neither."
    )
  }
}
process.exit(status ?? 1)
