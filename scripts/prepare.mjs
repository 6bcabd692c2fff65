// Runs at the end of every install: patches the compiler with the Effect rules and notes which lock was installed.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { installed, root } from "./setup.mjs"

const patch = new URL("node_modules/@effect/tsgo/dist/effect-tsgo.cjs", root)
if (existsSync(patch))
  spawnSync("node", [patch.pathname, "patch", "--typescript", "--skip-missing"], { cwd: root, stdio: "inherit" })
installed()
