import type { SandboxSession } from "@openai/agents/sandbox"
import { Deferred, Effect, type Scope, Stream } from "effect"
import { mkdirSync, rmSync, writeFileSync, chownSync } from "node:fs"
import type { Socket } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Account } from "../Account.ts"
import { birthmarkArgument, newBirthmark, processesMarked, sendSignal } from "../Birthmarks.ts"
import { endingOf } from "../endings.ts"
import { chunks, until, writeAll } from "../hostStreams.ts"
import type { Ending, ExecRequest, Process, SandboxError, SandboxSpec } from "../Sandbox.ts"
import { attempt, failure } from "../SandboxFailure.ts"
import { insidePath, workingDirectory } from "../SandboxPaths.ts"
import { findTool } from "../Tools.ts"
import { FifoEnd, holdFifo, makeFifos } from "./Fifo.ts"
import { clientCommand, type ExecFiles, innerScript, outerScript } from "./scripts.ts"

export interface ClientSandbox {
  readonly name: string
  readonly isolation: "container" | "namespaces" | "none"
  readonly spec: SandboxSpec
  readonly session: SandboxSession
  readonly account: Account
  /** Of the host, and not for the sandbox to write; `seen` is what its processes call it. */
  readonly place: string
  readonly seen: string
}

export interface ClientProcess {
  readonly process: Process
  readonly end: (why: Ending) => Effect.Effect<void>
}

/** For the client to answer that something still runs. */
const yieldMs = 1_000

/** Starts one process through the client. Its streams are named pipes: the client's own carry only text, and no end of it. */
export const startProcess = Effect.fnUntraced(function* (
  sandbox: ClientSandbox,
  request: ExecRequest,
  number: number
): Effect.fn.Return<ClientProcess, SandboxError, Scope.Scope> {
  const { account, name, spec } = sandbox
  const fail = failure(name)
  const mark = newBirthmark(spec.sandboxId)
  const directory = join(sandbox.place, String(number))
  const files = filesIn(directory, request.input === true)
  const seen = filesIn(join(sandbox.seen, String(number)), request.input === true)
  const inside = () => processesMarked((other) => other === mark)

  yield* Effect.acquireRelease(
    attempt(name, "the process could not be prepared", () => {
      mkdirSync(directory, { mode: 0o711 })
      makeFifos([files.events, files.stdout, files.stderr, ...(files.stdin === null ? [] : [files.stdin])], account)
      const variables = { ...spec.variables, ...request.variables }
      const cwd = insidePath(sandbox, workingDirectory(request.cwd))
      writeFileSync(files.inner, innerScript(request, cwd, variables), { mode: 0o600 })
      writeFileSync(files.outer, outerScript(seen, guardOf(mark)), { mode: 0o600 })
      if (account.switched) for (const file of [files.inner, files.outer]) chownSync(file, account.uid, account.gid)
    }),
    () => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
  const ends = {
    stdout: new FifoEnd(files.stdout, "read"),
    stderr: new FifoEnd(files.stderr, "read"),
    stdin: files.stdin === null ? null : new FifoEnd(files.stdin, "write")
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const end of Object.values(ends)) end?.release()
    })
  )

  const reason = yield* Deferred.make<Ending>()
  const told = yield* Deferred.make<Ending>()
  const status = yield* Deferred.make<number | undefined>()
  const started = yield* Deferred.make<"ready" | "directory" | { readonly said: string }>()
  const hear = (line: string) => {
    const [what, value] = line.split(" ")
    if (what === "ready" || what === "directory") Deferred.doneUnsafe(started, Effect.succeed(what))
    if (what === "exit") Deferred.doneUnsafe(status, Effect.succeed(Number(value)))
  }
  const events = holdFifo(files.events)
  createInterface({ input: events }).on("line", hear)
  yield* Effect.addFinalizer(() => Effect.sync(() => events.destroy()))

  const killed = until(() => {
    const left = inside()
    for (const pid of left) sendSignal(pid, "SIGKILL")
    return left.length === 0
  })
  const end: ClientProcess["end"] = (why) => Effect.andThen(Deferred.succeed(reason, why), killed)

  let input: Socket | null = null
  const endInput = () => {
    ends.stdin?.release()
    input?.destroy()
  }
  const follow = Effect.gen(function* () {
    const code = yield* Deferred.await(status)
    const why = (yield* Deferred.isDone(reason))
      ? yield* Deferred.await(reason)
      : code === undefined
        ? ({ _tag: "Signalled", signal: "SIGKILL" } as const)
        : endingOf(code)
    yield* killed
    endInput()
    yield* Deferred.succeed(told, why)
  })
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* end({ _tag: "Killed", reason: "its scope was closed" })
      yield* Deferred.succeed(told, yield* Deferred.await(reason))
    }).pipe(Effect.uninterruptible)
  )
  yield* Effect.forkScoped(follow)
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      const said = yield* Effect.promise(() =>
        runInClient(sandbox.session, clientCommand(seen.outer, switchTo(sandbox)))
      )
      yield* Deferred.succeed(started, { said })
      // What it wrote last is there to be read, but is read later.
      yield* Effect.sleep("100 millis")
      yield* Deferred.succeed(status, undefined)
    })
  )

  const answer = yield* Deferred.await(started)
  if (answer === "directory") {
    return yield* fail({ _tag: "BadRequest", field: "cwd", detail: "there is no such directory in the sandbox" })
  }
  if (answer !== "ready") {
    return yield* fail({ _tag: "Failed", detail: `the process did not start: ${answer.said.slice(0, 1_000)}` })
  }
  const streams = yield* Effect.acquireRelease(
    attempt(name, "the streams", () => ({
      stdout: ends.stdout.open(),
      stderr: ends.stderr.open(),
      stdin: ends.stdin?.open() ?? null
    })),
    ({ stderr, stdin, stdout }) =>
      Effect.sync(() => {
        for (const stream of [stdout, stderr, stdin]) stream?.destroy()
      })
  )

  input = streams.stdin
  const process: Process = {
    output: Stream.merge(chunks(streams.stdout, "stdout"), chunks(streams.stderr, "stderr"), {
      bufferSize: 1
    } as never),
    ending: Deferred.await(told),
    write: (bytes) =>
      streams.stdin === null
        ? Effect.fail(fail({ _tag: "BadRequest", field: "input", detail: "this process has no input" }))
        : writeAll(name, streams.stdin, bytes),
    closeInput: Effect.sync(() => streams.stdin?.destroySoon()),
    resize: () => Effect.void,
    signal: (signal) =>
      signal === "SIGKILL"
        ? end({ _tag: "Signalled", signal })
        : Effect.sync(() => {
            for (const pid of inside()) sendSignal(pid, signal)
          })
  }
  return { process, end }
})

const filesIn = (directory: string, input: boolean): ExecFiles => ({
  outer: join(directory, "outer"),
  inner: join(directory, "inner"),
  events: join(directory, "events"),
  stdin: input ? join(directory, "stdin") : null,
  stdout: join(directory, "stdout"),
  stderr: join(directory, "stderr")
})

const guardOf = (mark: number): ReadonlyArray<string> => [
  findTool("prlimit") ?? "prlimit",
  birthmarkArgument(mark),
  "--core=0:0",
  "--"
]

/** Where the runner is root, the client's processes may be the host's root; those become the sandbox's account, for good. */
const switchTo = ({ account }: ClientSandbox): ReadonlyArray<string> =>
  account.switched
    ? [
        "setpriv",
        ...[`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "--no-new-privs"],
        ...["--bounding-set=-all", "--inh-caps=-all", "--"]
      ]
    : []

/** Answers when the client says that the process has ended, with what it said about it. */
const runInClient = async (session: SandboxSession, cmd: string): Promise<string> => {
  try {
    const result = await session.exec!({ cmd, shell: "/bin/sh", login: false, yieldTimeMs: yieldMs })
    const { sessionId } = result
    if (sessionId === undefined) return result.output
    for (;;) {
      const said = await session.writeStdin!({ sessionId, chars: "", yieldTimeMs: yieldMs })
      if (!/^Process running with session ID/m.test(said)) return said
    }
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}
