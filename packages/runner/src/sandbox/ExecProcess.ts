import { Deferred, Effect, Stream } from "effect"
import type { Leaf } from "./Cgroup.ts"
import { checkTerminal } from "./checkRequest.ts"
import { endingOf } from "./endings.ts"
import { chunks, until, writeAll } from "./hostStreams.ts"
import type { Launched } from "./Launch.ts"
import { birthmarkOf, processesMarked, sendSignal } from "./Birthmarks.ts"
import type { Ending, ExecRequest, OutputChunk, Process } from "./Sandbox.ts"
import { failure } from "./SandboxFailure.ts"

export interface Running {
  readonly backend: string
  readonly request: ExecRequest
  readonly launched: Launched
  readonly leaf: Leaf | undefined
  readonly mark: number
  /** Whether the death of the first process inside is the death of all. */
  readonly namespaced: boolean
}

/** A process of the host as the port has it, and the one way to end it. */
export interface ExecProcess {
  readonly process: Process
  /** Ends the process and all it started. The first reason given is the one that is told. */
  readonly end: (why: Ending) => Effect.Effect<void>
  /** The host's numbers of its processes. */
  readonly inside: () => ReadonlyArray<number>
  /** All in its group, which none of them can leave; absent where there is no group. */
  readonly group: (() => ReadonlyArray<number>) | undefined
  /** Runs beside the process: what it leaves behind does not outlive it, and then it is told how it ended. */
  readonly follow: Effect.Effect<void>
  /** Ends it if it has not ended, and waits until nothing of it is left. */
  readonly close: Effect.Effect<void>
}

export const execProcess = Effect.fnUntraced(function* (running: Running) {
  const { backend, launched, leaf, mark, request } = running
  const reason = yield* Deferred.make<Ending>()
  const told = yield* Deferred.make<Ending>()

  const inside = () =>
    leaf === undefined
      ? processesMarked((other) => other === mark)
      : leaf.processes().filter((pid) => birthmarkOf(pid) === mark)

  /** Answers whether nothing was left to kill. What dies may have started something meanwhile, so one asks again. */
  const killed = () => {
    const first = running.namespaced ? launched.inner() : undefined
    if (first !== undefined) {
      sendSignal(first, "SIGKILL")
      return true
    }
    if (!running.namespaced && leaf !== undefined) {
      leaf.kill()
      return leaf.processes().length === 0
    }
    const left = inside()
    for (const pid of left) sendSignal(pid, "SIGKILL")
    return left.length === 0
  }

  const end = Effect.fnUntraced(function* (why: Ending) {
    yield* Deferred.succeed(reason, why)
    yield* until(killed)
  })

  const ending = Effect.gen(function* () {
    const code = yield* Deferred.await(launched.status)
    if (yield* Deferred.isDone(reason)) return yield* Deferred.await(reason)
    const how: Ending = code === undefined ? { _tag: "Signalled", signal: "SIGKILL" } : endingOf(code)
    const isKilled = how._tag === "Signalled" && how.signal === "SIGKILL"
    return isKilled && (leaf?.outOfMemoryKills() ?? 0) > 0 ? ({ _tag: "OutOfMemory" } as const) : how
  })

  const follow = Effect.gen(function* () {
    const how = yield* ending
    yield* until(killed)
    launched.stdin?.destroy()
    yield* Deferred.succeed(told, how)
  })

  const close = yield* Effect.cached(
    Effect.uninterruptible(
      Effect.gen(function* () {
        const how = (yield* Deferred.isDone(launched.status)) ? yield* ending : undefined
        yield* end({ _tag: "Killed", reason: "its scope was closed" })
        launched.abandon()
        yield* launched.gone
        yield* until(() => {
          if (leaf === undefined || leaf.remove()) return true
          leaf.kill()
          return false
        })
        yield* Deferred.succeed(told, how ?? (yield* Deferred.await(reason)))
      })
    )
  )

  const process: Process = {
    output: output(launched, request.terminal !== undefined),
    ending: Deferred.await(told),
    write: (bytes) =>
      launched.stdin === null
        ? Effect.fail(failure(backend)({ _tag: "BadRequest", field: "input", detail: "this process has no input" }))
        : writeAll(backend, launched.stdin, bytes),
    closeInput: Effect.sync(() => launched.stdin?.end()),
    resize: (columns, rows) =>
      Effect.sync(() => {
        if (request.terminal !== undefined && checkTerminal(columns, rows) === undefined) launched.resize(columns, rows)
      }),
    signal: (name) =>
      name === "SIGKILL"
        ? end({ _tag: "Signalled", signal: name })
        : Effect.sync(() => {
            for (const pid of inside()) sendSignal(pid, name)
          })
  }
  return { process, end, inside, group: leaf?.processes, follow, close } satisfies ExecProcess
})

/** A terminal has one stream. */
const output = (launched: Launched, terminal: boolean): Stream.Stream<OutputChunk> =>
  terminal
    ? chunks(launched.stdout, "stdout")
    : Stream.merge(chunks(launched.stdout, "stdout"), chunks(launched.stderr, "stderr"), { bufferSize: 1 } as never)
