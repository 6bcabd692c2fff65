// What every command begins with: it is to start fast, to be small while it waits, and to end when nobody listens.
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"

// A command waits most of its time, for a server or for keys: memory that only makes a busy program faster is not asked for.
setFlagsFromString("--semi-space-growth-factor=1")
setFlagsFromString("--optimize-for-size")

// What was compiled once is found again, which halves the time until a command begins, and saves the memory of what compiles.
// An account without a home does without.
const { HOME: home = "", XDG_CACHE_HOME: cache = home && join(home, ".cache") } = process.env
if (cache !== "") enableCompileCache(join(cache, "troupe"))

// Whoever reads our words may go away, such as `head`: then there is nothing more to say.
process.stdout.on("error", () => process.exit())
