import { Effect, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { release } from "node:os"
import type { Account } from "./Account.ts"
import type { Cgroup } from "./Cgroup.ts"
import { checkRequest } from "./checkRequest.ts"
import { diskExceeded } from "./DiskUsage.ts"
import { type ExecProcess, execProcess } from "./ExecProcess.ts"
import { type Launch, launch } from "./Launch.ts"
import { isBirthmarkOf, birthmarkArgument, newBirthmark, processesMarked, sendSignal } from "./Birthmarks.ts"
import type { ExecRequest, Isolation, Sandbox, SandboxError, SandboxSpec } from "./Sandbox.ts"
import { attempt, failure } from "./SandboxFailure.ts"
import { temporaryOf } from "./SandboxPaths.ts"

/** What a backend whose processes are the host's own has to say for itself; the rest is the same for all of them. */
export interface HostBackend {
  readonly name: string
  readonly isolation: Isolation
  readonly namespaced: boolean
  readonly account: Account
  readonly cgroup: Cgroup | undefined
  /** The launch of one request, but for what is the same for all. */
  readonly prepare: (
    request: ExecRequest,
    limits: ReadonlyArray<string>
  ) => Omit<Launch, "account" | "join" | "input"> & { readonly command: ReadonlyArray<string> }
  /** Takes away what the backend keeps beside the mounted directories. */
  readonly forget: Effect.Effect<void>
}

/** What programs expect: some walk through all numbers that could be open. */
const openFilesMax = 4_096

/**
 * Whether the kernel's limit of processes is about one sandbox. It counts by account: where sandboxes share the runner's, all
 * that this user runs would count, but for kernels since 5.14, which count in each user namespace.
 */
export const countsProcesses = (namespaced: boolean, { switched }: Pick<Account, "switched">): boolean => {
  const [major = 0, minor = 0] = release().split(".").map(Number)
  return switched || (namespaced && (major > 5 || (major === 5 && minor >= 14)))
}

/** What each process is held to by itself. Address space is not among it: runtimes reserve far more than they use. */
const limitsOf = (
  spec: SandboxSpec,
  { account, cgroup, namespaced }: HostBackend,
  mark: number
): ReadonlyArray<string> => {
  const { diskMb, memoryMb, processes } = spec.size
  return [
    birthmarkArgument(mark),
    "--core=0:0",
    `--nofile=${Math.min(openFilesMax, hardLimit("Max open files"))}:`,
    `--fsize=${Math.min(diskMb * 1_048_576, hardLimit("Max file size"))}`,
    ...(cgroup === undefined ? [`--data=${memoryMb * 1_048_576}`] : []),
    ...(cgroup === undefined && countsProcesses(namespaced, account) ? [`--nproc=${processes}`] : [])
  ]
}

/** What the runner itself may have at most, above which nobody can go. */
const hardLimit = (name: string): number => {
  const line = readFileSync("/proc/self/limits", "utf8")
    .split("\n")
    .find((text) => text.startsWith(name))
  const hard = Number(line?.slice(name.length).trim().split(/\s+/)[1])
  return Number.isNaN(hard) ? Number.MAX_SAFE_INTEGER : hard
}

export const hostSandbox = (spec: SandboxSpec, backend: HostBackend): Sandbox => {
  const { cgroup, name } = backend
  const fail = failure(name)
  const live = new Set<ExecProcess>()
  let destroyed = false
  let count = 0

  const start = Effect.fnUntraced(function* (request: ExecRequest) {
    const mark = newBirthmark(spec.sandboxId)
    const leaf = yield* attempt(name, "no control group for a process", () => cgroup?.leaf(`exec-${++count}`))
    const prepared = backend.prepare(request, limitsOf(spec, backend, mark))
    const launched = yield* attempt(name, "the process could not be started", () =>
      launch({
        ...prepared,
        account: backend.account,
        input: request.input === true,
        join: (pid) => leaf?.join(pid)
      })
    )
    const running = yield* execProcess({ backend: name, request, launched, leaf, mark, namespaced: backend.namespaced })
    live.add(running)
    return { ...running, launched }
  })

  const watchDisk = Effect.fnUntraced(function* (running: ExecProcess) {
    const directories = spec.mounts.flatMap((mount) => (mount.readOnly ? [] : [mount.source]))
    yield* diskExceeded([...directories, temporaryOf(spec.home)], spec.size.diskMb * 1_048_576, {
      processes: running.inside,
      group: running.group
    })
    yield* running.end({ _tag: "OutOfDisk" })
  })

  const tryExec = Effect.fnUntraced(function* (request: ExecRequest) {
    if (destroyed) return yield* fail({ _tag: "Gone", detail: "the sandbox was destroyed" })
    const bad = checkRequest(spec, request)
    if (bad !== undefined) return yield* fail(bad)
    const running = yield* Effect.acquireRelease(start(request), (one) =>
      Effect.andThen(
        one.close,
        Effect.sync(() => live.delete(one))
      )
    )
    const started = yield* running.launched.started
    if (started._tag === "NoDirectory") {
      return yield* fail({ _tag: "BadRequest", field: "cwd", detail: "there is no such directory in the sandbox" })
    }
    if (started._tag === "Failed") return yield* fail({ _tag: "Failed", detail: started.said })
    yield* Effect.forkScoped(running.follow)
    yield* Effect.forkScoped(watchDisk(running))
    const { timeoutMs } = request
    if (timeoutMs !== undefined) {
      yield* Effect.forkScoped(Effect.delay(running.end({ _tag: "TimedOut", afterMs: timeoutMs }), timeoutMs))
    }
    return running.process
  })

  const exec: Sandbox["exec"] = Effect.fn("Sandbox.exec")((request) =>
    Effect.retry(tryExec(request), { while: isMomentary, schedule: Schedule.exponential(50), times: 3 })
  )

  const destroy = Effect.gen(function* () {
    destroyed = true
    yield* Effect.forEach(
      [...live],
      (one) => Effect.andThen(one.end({ _tag: "Killed", reason: "the sandbox was destroyed" }), one.close),
      { concurrency: "unbounded", discard: true }
    )
    yield* endLeftovers(spec, cgroup)
    yield* backend.forget
  }).pipe(Effect.uninterruptible, Effect.withSpan("Sandbox.destroy"))

  return { spec, backend: name, isolation: backend.isolation, exec, destroy }
}

/** Nothing of it ran: the host, or what dies in the sandbox just now, had no process to spare. */
const isMomentary = ({ reason }: SandboxError): boolean =>
  reason._tag === "Failed" && reason.detail.includes("Resource temporarily unavailable")

/** What a runner before this one may have left running. */
export const endLeftovers = Effect.fnUntraced(function* (spec: SandboxSpec, cgroup: Cgroup | undefined) {
  for (let looks = 0; looks < 2_000; looks++) {
    const left = cgroup === undefined ? processesMarked((mark) => isBirthmarkOf(spec.sandboxId, mark)) : []
    for (const pid of left) sendSignal(pid, "SIGKILL")
    if (left.length === 0 && cgroup?.remove() !== false) return
    yield* Effect.sleep(5)
  }
}) satisfies (spec: SandboxSpec, cgroup: Cgroup | undefined) => Effect.Effect<void, SandboxError>
