#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { startRunner } from "./commands/runner.ts"

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
