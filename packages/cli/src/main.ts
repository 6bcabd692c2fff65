import { startRunner } from "./commands/runner.ts"

// Whoever reads our words may go away, such as `head`: then there is nothing more to say.
process.stdout.on("error", () => process.exit())

const [name, ...rest] = process.argv.slice(2)

if (name === "runner") process.exitCode = await startRunner(rest)
else {
  const { program } = await import("./program.ts")
  process.exitCode = await program(process.argv.slice(2))
}
