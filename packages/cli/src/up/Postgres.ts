import { Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { ChildLog } from "./ChildLog.ts"
import { codeCache } from "./codeCache.ts"
import { tellsOfFullDisk } from "./fullDisk.ts"
import { gone, type Part, PartEnded, type Running } from "./Part.ts"
import { nameProcess } from "./processes.ts"
import type { Handed } from "./UpConfig.ts"

const launcher = fileURLToPath(new URL("../../../server/src/postgres/embedded-main.ts", import.meta.url))

const Launched = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, port: Schema.Int }))
const decode = Schema.decodeUnknownEffect(Launched)

/**
 * The embedded Postgres as a part. A launcher starts it, or takes over the one that runs, and ends: what is kept running
 * is the server itself. `onPort` hears where it listens, which changes when another program has taken its place.
 */
export const part = (
  home: string,
  handed: Handed,
  log: ChildLog,
  onPort: (port: number) => Effect.Effect<void>
): Part => {
  const name = "postgres"
  const failed = (how: string) => new PartEnded({ part: name, how, final: tellsOfFullDisk(how) })
  const start = Effect.gen(function* () {
    const said = yield* run(home, ["--keep", "--lock-held"], handed).pipe(Effect.interruptible, Effect.mapError(failed))
    const { pid, port } = yield* Effect.mapError(decode(said), () => failed("did not say where it listens"))
    yield* onPort(port)
    const process = nameProcess(pid)
    const ended = Effect.as(gone(process), failed("has ended"))
    return { process, adopted: false, ended } satisfies Running
  })
  return {
    name,
    log,
    start,
    stopping: {
      signals: [
        ["SIGINT", 30_000],
        ["SIGQUIT", 5_000]
      ],
      // Postgres's own way to end at once: the next start recovers.
      hard: "SIGQUIT"
    }
  }
}

/** Stops the Postgres of a home that nobody holds. Answers whether one ran. */
export const stopLeft = (home: string, handed: Handed) =>
  run(home, ["--stop", "--wait-ms", "2000"], handed).pipe(
    Effect.match({ onFailure: () => false, onSuccess: (said) => said.includes(`"stopped":true`) })
  )

const linesMax = 5

/** Of all that Postgres says while it is made, the lines that say what went wrong; else the last ones. */
const essence = (text: string): string => {
  const lines = text.trim().split("\n")
  const telling = lines.filter((line) => /\b(?:FATAL|PANIC|ERROR|HINT)\b/.test(line))
  return [lines[0] ?? "", ...(telling.length > 0 ? telling : lines.slice(1)).slice(-linesMax)].join("\n")
}

/** Answers what the launcher prints, or fails with what it says is wrong. */
const run = (home: string, args: ReadonlyArray<string>, handed: Handed): Effect.Effect<string, string> =>
  Effect.callback((resume) => {
    const child: ChildProcess = spawn(process.execPath, [launcher, "--home", home, ...args], {
      cwd: "/",
      env: { ...codeCache(home), ...handed.environment },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const said = { stdout: "", stderr: "" }
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream]!.on("data", (chunk: Buffer) => (said[stream] = (said[stream] + chunk.toString()).slice(-16_384)))
    }
    child.once("error", (cause) => resume(Effect.fail(`could not be launched: ${cause.message}`)))
    child.once("close", (code, signal) =>
      resume(
        code === 0
          ? Effect.succeed(said.stdout)
          : Effect.fail(`did not start (${signal ?? code}): ${essence(said.stderr)}`)
      )
    )
    return Effect.sync(() => void child.kill("SIGTERM"))
  })
