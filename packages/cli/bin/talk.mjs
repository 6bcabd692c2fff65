// A chat in a terminal, held by a process that knows nothing else. What reads command lines and starts servers takes as much
// memory again: it is a process of its own, which says by a pipe what is to be held, and ends. None of our TypeScript is
// loaded here before: the other one has compiled it, and it is found in the cache.
import { fork } from "node:child_process"
import { once } from "node:events"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const opening = fork(fileURLToPath(new URL("opening.mjs", import.meta.url)), process.argv.slice(2), {
  stdio: "inherit"
})
let wanted = null
opening.once("message", (message) => {
  wanted = message
})
const [[code, signal]] = await Promise.all([once(opening, "exit"), once(opening, "disconnect")])

if (wanted === null) process.exitCode = code ?? 128 + constants.signals[signal]
else {
  const { hold } = await import("../src/chat/interactive.ts")
  process.exitCode = await hold(wanted)
}
