// npm start: sets up what is missing, then runs all of Troupe here.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { setup } from "./setup.mjs"

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const { env, node } = setup()
// What belongs to the system: where the sandbox is missing and may be installed, it offers to.
const system = path("scripts/system.mjs")
if (existsSync(system)) spawnSync(node, [system], { env, stdio: "inherit" })

process.argv.splice(2, 0, "node", path("packages/cli/src/main.ts"), "up")
await import("./run.mjs")
