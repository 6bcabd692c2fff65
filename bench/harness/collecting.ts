/** Loaded into a process whose memory is measured: it lets go of what it does not need when it is told to. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as NodeJS.GCFunction

process.on("SIGUSR2", () => {
  collect({ type: "major", execution: "sync", flavor: "last-resort" })
})
