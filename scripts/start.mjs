// npm start: sets up what is missing, then runs all of Troupe here.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { buildConsole } from "./console.mjs"
import { setup } from "./setup.mjs"

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const { env, node } = await setup()
// What belongs to the system: where the sandbox is missing and may be installed, it offers to.
const system = path("scripts/system.mjs")
if (existsSync(system)) spawnSync(node, [system], { env, stdio: "inherit" })

// Without a console all else works: what went wrong with it is said, and that is all.
const built = buildConsole({ env, node })
if (built?.ok === false) console.error(`The console could not be built, the rest starts without it:\n${built.output}`)

process.argv.splice(2, 0, "node", path("packages/cli/bin/troupe.mjs"), "up")
await import("./run.mjs")
