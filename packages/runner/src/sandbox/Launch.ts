import { Deferred, Effect } from "effect"
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { createInterface } from "node:readline"
import type { Duplex, Readable, Writable } from "node:stream"
import { type Account, spawnAs } from "./Account.ts"
import { inheritedDescriptors } from "./inherited.ts"
import { sendSignal, startTicks } from "./Birthmarks.ts"
import { descriptors } from "./scripts.ts"

export interface Launch {
  readonly account: Account
  /** Sets what a process keeps for life, then becomes the shell that runs `script`. */
  readonly guard: ReadonlyArray<string>
  readonly script: string
  readonly command: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly input: boolean
  readonly bubblewrapArguments?: Uint8Array
  readonly seccomp?: Uint8Array
  /** Puts a process that waits into its group. */
  readonly join: (pid: number) => void
}

export type Start =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "NoDirectory" }
  | { readonly _tag: "Failed"; readonly said: string }

/** A process of the host with the scripts around it, and what it says over the control socket. */
export interface Launched {
  readonly outer: number
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
  readonly started: Effect.Effect<Start>
  /** Whether the process has ended, as far as we were told. */
  readonly status: Deferred.Deferred<number | undefined>
  /** The outermost of its processes is gone. */
  readonly gone: Effect.Effect<void>
  /** The host's number of the first process inside, once it is known. */
  readonly inner: () => number | undefined
  readonly resize: (columns: number, rows: number) => void
  /** Ends what is around the process, and with it all streams. */
  readonly abandon: () => void
}

const saidMax = 4_096

/** In place of what the runner itself was started with, its children get the empty device. */
const stdio = (options: Launch, empty: number): Array<"pipe" | "ignore" | number> => {
  const ours: ReadonlyArray<"pipe" | "ignore"> = [
    options.input ? "pipe" : "ignore",
    "pipe",
    "pipe",
    "pipe",
    "pipe",
    options.seccomp === undefined ? "ignore" : "pipe"
  ]
  const all: Array<"pipe" | "ignore" | number> = Array.from(
    { length: Math.max(ours.length, 1 + Math.max(0, ...inheritedDescriptors())) },
    (_, descriptor) => ours[descriptor] ?? "ignore"
  )
  for (const descriptor of inheritedDescriptors()) all[descriptor] = empty
  return all
}

export const launch = (options: Launch): Launched => {
  const [first, ...guard] = [...options.guard, "/bin/sh", "-c", options.script, "sh", ...options.command]
  const empty = openSync("/dev/null", "r")
  const child = spawn(first ?? "/bin/sh", guard, {
    ...spawnAs(options.account),
    env: options.environment,
    cwd: "/",
    // A session of its own: Ctrl-C in the runner's terminal is not for it.
    detached: true,
    stdio: stdio(options, empty)
  })
  closeSync(empty)
  // The types know three streams, however many there are.
  const streams: ReadonlyArray<Duplex | Readable | Writable | null | undefined> = child.stdio
  const [stdout, stderr] = [streams[1], streams[2]] as [Readable, Readable]
  // At the end of a process Node reads and drops what nobody has read yet, unless somebody listens in this way.
  for (const stream of [stdout, stderr]) stream.on("readable", () => {})
  const control = streams[descriptors.control] as Duplex
  const second = streams[descriptors.second] as Writable
  const gone = Deferred.makeUnsafe<void>()
  const status = Deferred.makeUnsafe<number | undefined>()
  const start = Deferred.makeUnsafe<"ready" | "directory" | "relay" | "ended">()
  const settle = (answer: "ready" | "directory" | "relay" | "ended") =>
    Deferred.doneUnsafe(start, Effect.succeed(answer))
  let spawnFailure = ""
  let inner: { readonly pid: number; readonly ticks: string | undefined } | undefined

  const hear = (line: string) => {
    const [what = "", value = ""] = line.split(" ")
    if (what === "outer" || what === "inner") {
      try {
        options.join(Number(value))
        if (what === "inner") inner = { pid: Number(value), ticks: startTicks(Number(value)) }
        if (what === "outer") control.write("go\n")
        else second.end("go\n")
      } catch (cause) {
        spawnFailure = String(cause)
        control.end()
      }
    } else if (what === "exit") {
      Deferred.doneUnsafe(status, Effect.succeed(Number(value)))
      settle("ended")
    } else if (what === "ready" || what === "directory" || what === "relay") settle(what)
    else {
      const pid = /"child-pid": (\d+)/.exec(line)?.[1]
      if (pid !== undefined) inner = { pid: Number(pid), ticks: startTicks(Number(pid)) }
    }
  }

  createInterface({ input: control }).on("line", hear)
  for (const stream of streams) stream?.on("error", () => {})
  const finish = () => {
    Deferred.doneUnsafe(status, Effect.succeed(undefined))
    settle("ended")
    Deferred.doneUnsafe(gone, Effect.void)
  }
  child.on("error", (cause) => {
    spawnFailure = cause.message
    finish()
  })
  // What it said before it ended is there to be read, but Node may tell of the end first: give it two more looks.
  child.on("exit", () => setImmediate(() => setImmediate(() => setImmediate(finish))))
  if (options.bubblewrapArguments !== undefined) second.end(options.bubblewrapArguments)
  if (options.seccomp !== undefined) (streams[descriptors.seccomp] as Writable).end(options.seccomp)

  const started = Effect.gen(function* () {
    const answer = yield* Deferred.await(start)
    if (answer === "ready") return { _tag: "Ready" } as const
    if (answer === "directory") return { _tag: "NoDirectory" } as const
    const said = spawnFailure === "" ? yield* Effect.promise(() => beginningOf(stderr)) : spawnFailure
    return {
      _tag: "Failed",
      said: answer === "relay" ? `the relay to the egress proxy did not start. ${said}` : said
    } as const
  })

  return {
    outer: child.pid ?? -1,
    stdin: options.input ? (streams[0] as Writable) : null,
    stdout,
    stderr,
    started,
    status,
    gone: Deferred.await(gone),
    // A number is given out again once its process is gone; the time of its start tells.
    inner: () => (inner !== undefined && inner.ticks === startTicks(inner.pid) ? inner.pid : undefined),
    resize: (columns, rows) => control.write(`${columns} ${rows}\n`),
    abandon: () => {
      if (child.pid !== undefined) sendSignal(-child.pid, "SIGKILL")
      for (const stream of streams) stream?.destroy()
    }
  }
}

const beginningOf = (stream: Readable): Promise<string> =>
  new Promise((resolve) => {
    let said = ""
    const done = () => resolve(said.slice(0, saidMax).trim())
    const take = () => {
      for (let chunk = stream.read(); chunk !== null && said.length < saidMax; chunk = stream.read()) said += chunk
    }
    take()
    stream.on("readable", take)
    stream.on("close", done)
    stream.on("end", done)
    if (stream.destroyed || stream.readableEnded) done()
  })
