import { spawn } from "node:child_process"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

/** The runner is a program of its own: it is started, never loaded. */
const program = fileURLToPath(new URL("../../../runner/src/main.ts", import.meta.url))

/**
 * Runs a runner in front of the terminal, with its input, output and exit code. What it inherits besides is passed on, so
 * that a token can come through a pipe.
 */
export const startRunner = async (args: ReadonlyArray<string>): Promise<number> => {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["inherit", "inherit", "inherit", ...pipes(args)]
  })
  // A terminal tells both; from elsewhere a signal reaches this process alone.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, pass)
  process.on("SIGINT", () => {})
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]))
  })
}

/** The descriptor of `--token-fd`, and those below it. */
const pipes = (args: ReadonlyArray<string>): ReadonlyArray<"inherit" | number> => {
  const at = args.findIndex((arg) => arg === "--token-fd" || arg.startsWith("--token-fd="))
  if (at < 0) return []
  const fd = Number(args[at]!.split("=")[1] ?? args[at + 1])
  if (!Number.isInteger(fd) || fd < 3 || fd > 255) return []
  return Array.from({ length: fd - 2 }, (_, index) => (index + 3 === fd ? fd : "ignore")) as ReadonlyArray<number>
}
