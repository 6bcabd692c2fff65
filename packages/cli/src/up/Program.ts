import { Effect, Option, Redacted, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { closeSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { ChildLog } from "./ChildLog.ts"
import { codeCache } from "./codeCache.ts"
import { replace } from "./Home.ts"
import { end, gone, type Part, PartEnded, type Running, type Stopping } from "./Part.ts"
import { lives, nameProcess, type ProcessName } from "./processes.ts"
import type { Handed } from "./UpConfig.ts"

/** A program of ours that runs until it is told to stop. */
export interface Program {
  readonly name: "node" | "runner"
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly handed: Handed
  readonly stopping: Stopping
  /** Where it listens, if it does. */
  readonly url: string | null
}

/** What is kept on disk of a process, so that the next supervisor finds it. */
const Record = Schema.fromJsonString(
  Schema.Struct({
    pid: Schema.Int,
    startTicks: Schema.NullOr(Schema.String),
    /** Of everything it was told: one that was told something else is not taken over. */
    digest: Schema.String,
    since: Schema.Int,
    url: Schema.NullOr(Schema.String)
  })
)
export type ProcessRecord = typeof Record.Type

const recordFile = (home: string, name: string) => join(home, "run", `${name}.json`)

/** What is known of a process that a supervisor started, while it lives. */
export const recordOf = (home: string, name: Program["name"]): ProcessRecord | null => {
  try {
    const record = Option.getOrNull(decode(readFileSync(recordFile(home, name), "utf8")))
    return record !== null && lives(record) ? record : null
  } catch {
    return null
  }
}

const decode = Schema.decodeUnknownOption(Record)
const encode = Schema.encodeSync(Record)

const digestOf = ({ args, file, handed }: Program): string =>
  createHash("sha256")
    .update(JSON.stringify([process.version, file, args, handed.environment, Redacted.value(handed.secrets)]))
    .digest("hex")

/** The program as a part: started in a process group of its own, or taken over where a dead supervisor left it. */
export const part = (home: string, program: Program, log: ChildLog): Part => {
  const { name, stopping, url } = program
  const digest = digestOf(program)
  const file = recordFile(home, name)
  let hasLooked = false

  const start = Effect.gen(function* () {
    const left = hasLooked ? null : recordOf(home, name)
    hasLooked = true
    if (left !== null && left.digest === digest) return takeOver(name, left)
    if (left !== null) yield* Effect.interruptible(end(left, stopping))
    return yield* launch(home, program, log, (process) => {
      replace(file, encode({ ...process, digest, since: Date.now(), url }))
    })
  }).pipe(Effect.map((running) => ({ ...running, ended: Effect.tap(running.ended, () => forget(file)) })))
  return { name, log, start, stopping }
}

const forget = (file: string) => Effect.sync(() => rmSync(file, { force: true }))

const takeOver = (name: string, process: ProcessName): Running => ({
  process: { pid: process.pid, startTicks: process.startTicks },
  adopted: true,
  ended: Effect.as(gone(process), new PartEnded({ part: name, how: "has ended", final: false }))
})

/** The exit code of a program that can't use what it was told. */
const usage = 2

const launch = (
  home: string,
  { args, file, handed, name }: Program,
  log: ChildLog,
  record: (process: ProcessName) => void
) =>
  Effect.callback<Running, PartEnded>((resume) => {
    const output = log.open()
    const child = spawn(process.execPath, [file, ...args, "--secrets-fd", "3"], {
      cwd: "/",
      env: { ...codeCache(home), ...handed.environment },
      // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which stops things in order.
      detached: true,
      stdio: ["ignore", output, output, "pipe"]
    })
    closeSync(output)
    const ended = new Promise<PartEnded>((resolve) => {
      child.once("exit", (code, signal) =>
        resolve(
          new PartEnded({
            part: name,
            how: signal === null ? `ended with code ${code}` : `was ended by ${signal}`,
            final: code === usage
          })
        )
      )
    })
    child.once("error", (cause) =>
      resume(Effect.fail(new PartEnded({ part: name, how: `did not start: ${cause.message}`, final: false })))
    )
    child.once("spawn", () => {
      const started = nameProcess(child.pid!)
      record(started)
      hand(child, handed)
      child.unref()
      resume(Effect.succeed({ process: started, adopted: false, ended: Effect.promise(() => ended) }))
    })
  })

const hand = (child: ChildProcess, { secrets }: Handed): void => {
  const pipe = child.stdio[3] as NodeJS.WritableStream
  // It may end before it has read them, which its end tells.
  pipe.on("error", () => {})
  pipe.end(JSON.stringify(Redacted.value(secrets)))
}
