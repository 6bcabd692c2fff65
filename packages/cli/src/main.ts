import { startRunner } from "./commands/runner.ts"

const [name, ...rest] = process.argv.slice(2)

if (name === "runner") process.exitCode = await startRunner(rest)
else {
  const { program } = await import("./program.ts")
  process.exitCode = await program(process.argv.slice(2))
}
