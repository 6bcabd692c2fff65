import { type Cause, Deferred, Effect, Option, Queue, type Scope, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { constants } from "node:os"
import { checkTerminal } from "../checkRequest.ts"
import type { Ending, ExecRequest, OutputChunk, Process, SandboxError } from "../Sandbox.ts"
import { workingDirectory } from "../SandboxPaths.ts"
import type { Container } from "./Container.ts"
import { dockerError, fromEngine } from "./dockerError.ts"
import { createExec, inspectExec, resizeExec, startExec } from "./Engine.ts"
import type { EngineApi, Hijacked } from "./EngineApi.ts"
import { output } from "./EngineStream.ts"
import { endingOf } from "./ExecEnding.ts"
import { launcher } from "./scripts.ts"

export interface RunningProcess extends Process {
  /** Ends the process and all it started, and says that this is why. */
  readonly end: (ending: Ending) => Effect.Effect<void>
  /** Says why it will have ended, for who is about to end it by other means. */
  readonly condemn: (ending: Ending) => void
}

// Each is at most what a socket gives at once, 64 KiB.
const chunksBuffered = 8

/** Runs a program in the container. When the scope closes, it and everything it started are dead. */
export const start = Effect.fn("DockerProcess.start")(function* (
  engine: EngineApi,
  container: Container,
  about: { readonly user: string; readonly subreaper: boolean; readonly variables: Readonly<Record<string, string>> },
  request: ExecRequest
): Effect.fn.Return<RunningProcess, SandboxError, Scope.Scope> {
  const token = `exec-${randomUUID()}`
  const terminal = request.terminal !== undefined
  const keeper = yield* container.keeper
  const directory = workingDirectory(request.cwd)
  // Not the engine: it enters as root.
  if (!(yield* Effect.orElseSucceed(keeper.canEnter(directory), () => true))) {
    const detail = "there is no such directory in the sandbox, or it is closed"
    return yield* Effect.fail(dockerError({ _tag: "BadRequest", field: "cwd", detail }))
  }
  const memoryKillsBefore = yield* Effect.orElseSucceed(keeper.memoryKills, () => undefined)
  const { Id: id } = yield* Effect.mapError(
    createExec(engine, container.id, execConfig(request, { ...about, token, keeper: keeper.pid })),
    fromEngine
  )
  const ended = yield* Deferred.make<Ending>()
  let cause: Ending | undefined

  const kill = Effect.gen(function* () {
    const { pid } = yield* Effect.orElseSucceed(awaitStart(engine, id), () => ({ pid: undefined }))
    yield* Effect.flatMap(container.keeper, (current) => current.finish(token)).pipe(
      Effect.andThen(container.hasLeftovers(pid)),
      Effect.catch(() => Effect.succeed(true)),
      Effect.flatMap((left) => (left ? container.restart : Effect.void)),
      // A container that is gone has no processes.
      Effect.ignore
    )
  })
  const end = Effect.fnUntraced(function* (ending: Ending) {
    if (yield* Deferred.isDone(ended)) return
    cause ??= ending
    yield* kill
    yield* Deferred.succeed(ended, cause)
  }, Effect.uninterruptible)

  const conclude = Effect.gen(function* () {
    if (cause !== undefined) return
    const code = yield* Effect.orElseSucceed(
      Effect.map(inspectExec(engine, id), ({ ExitCode, Running }) => (Running ? null : ExitCode)),
      () => null
    )
    const over = code === null || code === killed ? yield* container.hasEnded : undefined
    if (over === undefined && code === null) {
      return yield* end({ _tag: "Killed", reason: "the connection to the engine broke" })
    }
    const starved = over?.outOfMemory ?? (code !== 0 && (yield* wasStarved(container, memoryKillsBefore)))
    const otherwise: Ending =
      over !== undefined || code === null ? { _tag: "Killed", reason: "the container has ended" } : endingOf(code)
    const ending: Ending = starved ? { _tag: "OutOfMemory" } : otherwise
    yield* Deferred.succeed(ended, ending)
  })

  const connection = yield* Effect.acquireRelease(startExec(engine, id, terminal), () =>
    end({ _tag: "Killed", reason: "its scope was closed" })
  ).pipe(Effect.mapError(fromEngine))
  const { failed } = yield* Effect.mapError(awaitStart(engine, id), fromEngine)
  if (failed) return yield* Effect.fail(yield* whyNot(connection))

  const chunks = yield* Queue.bounded<OutputChunk, Cause.Done>(chunksBuffered)
  yield* Stream.fromAsyncIterable(output(connection, terminal), () => undefined).pipe(
    Stream.runForEach((chunk) => Queue.offer(chunks, chunk)),
    Effect.ignore,
    Effect.andThen(conclude),
    Effect.ensuring(Queue.end(chunks)),
    Effect.forkScoped
  )
  yield* awaitExit(engine, id).pipe(
    Effect.andThen(conclude),
    // Whoever killed the shell that would have done it has left processes that hold the streams.
    Effect.andThen(Effect.ignore(Effect.flatMap(container.keeper, (current) => current.finish(token)))),
    Effect.forkScoped
  )
  if (request.timeoutMs !== undefined) {
    const afterMs = request.timeoutMs
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(afterMs), end({ _tag: "TimedOut", afterMs })))
  }

  const { socket } = connection
  if (terminal && request.input !== true) socket.write(endOfTransmission)
  return {
    output: Stream.fromQueue(chunks),
    ending: Deferred.await(ended),
    write: (bytes) =>
      request.input === true
        ? write(connection, bytes)
        : Effect.fail(dockerError({ _tag: "BadRequest", field: "input", detail: "this process has no input" })),
    closeInput: Effect.sync(() => void (terminal ? socket.write(endOfTransmission) : socket.end())),
    resize: (columns, rows) =>
      terminal && checkTerminal(columns, rows) === undefined
        ? Effect.ignore(resizeExec(engine, id, columns, rows))
        : Effect.void,
    signal: Effect.fnUntraced(
      function* (signal) {
        // The program may be about to start: then there is nobody yet.
        for (let attempt = 0; attempt < 100 && !(yield* Deferred.isDone(ended)); attempt++) {
          const current = yield* container.keeper
          if (yield* current.signal(token, shortNames[signal])) return
          yield* Effect.sleep(20)
        }
      },
      (sent) => Effect.ignore(sent)
    ),
    end,
    condemn: (ending) => void (cause ??= ending)
  }
})

const killed = 128 + constants.signals.SIGKILL
const endOfTransmission = "\u0004"
const shortNames = { SIGINT: "INT", SIGTERM: "TERM", SIGKILL: "KILL" } as const

const execConfig = (
  request: ExecRequest,
  own: Parameters<typeof start>[2] & { readonly token: string; readonly keeper: string }
) => {
  const { columns, rows } = request.terminal ?? { columns: 0, rows: 0 }
  const terminal = request.terminal !== undefined
  return {
    User: own.user,
    AttachStdin: request.input === true || terminal,
    AttachStdout: true,
    AttachStderr: true,
    Tty: terminal,
    WorkingDir: workingDirectory(request.cwd),
    Env: Object.entries({ ...own.variables, ...request.variables }).map(([name, value]) => `${name}=${value}`),
    Cmd: [
      ...(own.subreaper ? ["/sbin/docker-init", "-s", "--"] : []),
      ...["/bin/sh", "-c", launcher, own.token, own.keeper],
      ...[String(columns), String(rows), ...request.command]
    ]
  }
}

const wasStarved = (container: Container, before: number | undefined) =>
  Effect.flatMap(container.keeper, (keeper) => keeper.memoryKills).pipe(
    Effect.map((now) => now !== undefined && now > (before ?? 0)),
    Effect.catch(() => Effect.succeed(false))
  )

/** The engine answers a start before it has started anything. */
const awaitStart = Effect.fnUntraced(function* (engine: EngineApi, id: string) {
  while (true) {
    const { ExitCode, Pid, Running } = yield* inspectExec(engine, id)
    if (Pid > 0) return { pid: Pid, failed: false }
    if (!Running && ExitCode !== null) return { pid: undefined, failed: true }
    yield* Effect.sleep(3)
  }
})

/** In place of output, the engine says why it could not start a process. */
const whyNot = Effect.fnUntraced(function* (connection: Hijacked) {
  const said = yield* Stream.fromAsyncIterable(output(connection, true), () => undefined).pipe(
    Stream.runHead,
    Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed(Option.none()) }),
    Effect.orElseSucceed(() => Option.none<OutputChunk>())
  )
  const text = Option.match(said, { onNone: () => "", onSome: ({ bytes }) => Buffer.from(bytes).toString("utf8") })
  const detail = text
    .replace(/^[^A-Za-z]*/, "")
    .trim()
    .slice(0, 500)
  if (/chdir|working directory|cwd/i.test(detail)) return dockerError({ _tag: "BadRequest", field: "cwd", detail })
  if (/resource temporarily unavailable|cannot fork|pthread_create/i.test(detail)) {
    return dockerError({ _tag: "Limit", limit: "processes", detail })
  }
  return dockerError({ _tag: "Failed", detail: `the engine could not start it: ${detail}` })
})

/** The stream ends with the process, but for output that nobody reads, and streams that somebody else holds. */
const awaitExit = Effect.fnUntraced(function* (engine: EngineApi, id: string) {
  while (true) {
    yield* Effect.sleep("2 seconds")
    const running = yield* Effect.orElseSucceed(
      Effect.map(inspectExec(engine, id), ({ Running }) => Running),
      () => false
    )
    if (!running) return
  }
})

const write = ({ socket }: Hijacked, bytes: Uint8Array) =>
  Effect.callback<void, SandboxError>((resume) => {
    socket.write(bytes, (cause) =>
      resume(
        cause == null
          ? Effect.void
          : Effect.fail(dockerError({ _tag: "Gone", detail: "the process reads no more" }, cause))
      )
    )
  })
