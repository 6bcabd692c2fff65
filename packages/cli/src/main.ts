#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { startRunner } from "./commands/runner.ts"

// A command waits most of its time, for a server or for keys: memory that only makes a busy program faster is not asked for.
setFlagsFromString("--semi-space-growth-factor=1")
setFlagsFromString("--optimize-for-size")

// What was compiled once is found again, which halves the time until a command begins. An account without a home does without.
const { HOME: home = "", XDG_CACHE_HOME: cache = home && join(home, ".cache") } = process.env
if (cache !== "") enableCompileCache(join(cache, "troupe"))

// Whoever reads our words may go away, such as `head`: then there is nothing more to say.
process.stdout.on("error", () => process.exit())

const [name, ...rest] = process.argv.slice(2)

if (name === "runner") process.exitCode = await startRunner(rest)
else {
  const { program } = await import("./program.ts")
  process.exitCode = await program(process.argv.slice(2))
}
