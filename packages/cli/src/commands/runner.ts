import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"
import { exitCodes } from "../app/exitCodes.ts"
import { environmentApart } from "../app/EnvironmentConfig.ts"

/** The runner is a program of its own: it is started, never loaded. */
const program = fileURLToPath(new URL("../../../runner/src/main.ts", import.meta.url))

/**
 * Runs a runner in front of the terminal, with its input, output and exit code. Secrets go to it by pipes: those that came so
 * are passed on, and those of the environment are taken out of what the runner is started with.
 */
export const startRunner = async (given: ReadonlyArray<string>): Promise<number> => {
  const { environment, found } = environmentApart()
  const told = Object.keys(found).length === 0 ? null : descriptorOf(given, "--secrets-fd")
  let secrets: Readonly<Record<string, string>> = found
  if (told !== null) {
    const more = readSecrets(told)
    if (more === null) {
      console.error(`Descriptor ${told} can't be used: it holds no JSON object of texts`)
      return exitCodes.usage
    }
    secrets = { ...found, ...more }
  }
  const { args, ours, stdio } = descriptors(given, Object.keys(secrets).length > 0)
  const child = spawn(process.execPath, [program, ...args], { env: environment, stdio })
  if (ours !== null) hand(child, ours, secrets)
  // A terminal tells both; from elsewhere a signal reaches this process alone.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, pass)
  process.on("SIGINT", () => {})
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]))
  })
}

const readSecrets = (descriptor: number): Readonly<Record<string, string>> | null => {
  try {
    const read: unknown = JSON.parse(readFileSync(descriptor, "utf8"))
    const isObject = typeof read === "object" && read !== null && !Array.isArray(read)
    return isObject && Object.values(read).every((value) => typeof value === "string")
      ? (read as Record<string, string>)
      : null
  } catch {
    return null
  }
}

const hand = (child: ChildProcess, descriptor: number, secrets: Readonly<Record<string, string>>): void => {
  const pipe = child.stdio[descriptor] as NodeJS.WritableStream
  // It may end before it has read them, which its end tells.
  pipe.on("error", () => {})
  pipe.end(JSON.stringify(secrets))
}

const flagAt = (args: ReadonlyArray<string>, flag: string): number =>
  args.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`))

/** The descriptor that a flag names, if it names one that can be passed on. What else it says is the runner's to judge. */
const descriptorOf = (args: ReadonlyArray<string>, flag: string): number | null => {
  const at = flagAt(args, flag)
  const fd = at < 0 ? Number.NaN : Number(args[at]!.split("=")[1] ?? args[at + 1])
  return Number.isInteger(fd) && fd >= 3 && fd <= 255 ? fd : null
}

const without = (args: ReadonlyArray<string>, flag: string): ReadonlyArray<string> => {
  const at = flagAt(args, flag)
  return at < 0 ? args : args.toSpliced(at, args[at] === flag ? 2 : 1)
}

/** The descriptors that are passed on under their own numbers, and the one for a pipe of ours behind them. */
const descriptors = (given: ReadonlyArray<string>, hands: boolean) => {
  const args = hands ? without(given, "--secrets-fd") : given
  const kept = ["--token-fd", "--secrets-fd"].flatMap((flag) => descriptorOf(args, flag) ?? [])
  const ours = hands ? Math.max(2, ...kept) + 1 : null
  const last = ours ?? Math.max(2, ...kept)
  const stdio = Array.from({ length: last + 1 }, (_, fd): "inherit" | "ignore" | "pipe" | number =>
    fd < 3 ? "inherit" : fd === ours ? "pipe" : kept.includes(fd) ? fd : "ignore"
  )
  return { args: ours === null ? args : [...args, "--secrets-fd", String(ours)], ours, stdio }
}
