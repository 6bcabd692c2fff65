// node scripts/run.mjs COMMAND…: sets up, then runs the command with the pinned Node and the installed tools first in PATH.
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { setup } from "./setup.mjs"

const [command, ...args] = process.argv.slice(2)
if (command === undefined) {
  console.error("usage: node scripts/run.mjs COMMAND [ARGUMENT…]")
  process.exit(2)
}

const { node, env } = await setup()
const child = spawn(command === "node" ? node : command, args, { env, stdio: "inherit" })

// A terminal gives Ctrl-C to the child as well, and npm forwards what it gets: pass each signal on once, so that a program
// that drains on the first and quits on the second is not hurried.
const passed = new Map()
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal === "SIGINT" && process.stdin.isTTY) return
    const now = Date.now()
    if (now - (passed.get(signal) ?? -Infinity) < 300) return
    passed.set(signal, now)
    child.kill(signal)
  })
}

child.on("error", (error) => {
  console.error(`troupe: ${command} could not be started (${error.code ?? error.message})`)
  process.exit(127)
})
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
