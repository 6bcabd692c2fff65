#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"
import { startRunner } from "./commands/runner.ts"

// What was compiled once is found again, which halves the time until a command begins.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "troupe"))

// Whoever reads our words may go away, such as `head`: then there is nothing more to say.
process.stdout.on("error", () => process.exit())

const [name, ...rest] = process.argv.slice(2)

if (name === "runner") process.exitCode = await startRunner(rest)
else {
  const { program } = await import("./program.ts")
  process.exitCode = await program(process.argv.slice(2))
}
