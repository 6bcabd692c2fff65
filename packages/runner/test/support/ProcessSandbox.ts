import { Deferred, Effect, Queue, Stream } from "effect"
import { spawn } from "node:child_process"
import {
  type Ending,
  type OutputChunk,
  type Sandbox,
  SandboxError,
  type SandboxSpec
} from "../../src/sandbox/Sandbox.ts"

export interface ProcessSandboxOptions {
  readonly cwd: string
  readonly path?: string
}

/** Plain processes of this machine, each in a group of its own: for tests of what is built on sandboxes. */
export const processSandbox = ({ cwd, path = process.env["PATH"] ?? "" }: ProcessSandboxOptions): Sandbox => ({
  spec: {} as SandboxSpec,
  backend: "process",
  isolation: "namespaces",
  destroy: Effect.void,
  exec: (request) =>
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof started>, SandboxError>((resume) => {
        const [command, ...rest] = request.command
        const child = spawn(command, rest, {
          cwd,
          detached: true,
          env: { PATH: path, HOME: cwd, LANG: "C.UTF-8" },
          stdio: "pipe"
        })
        child.once("spawn", () => resume(Effect.succeed(started(child, request.input === true))))
        child.once("error", (cause) =>
          resume(new SandboxError({ backend: "process", reason: { _tag: "Failed", detail: cause.message } }))
        )
      }),
      ({ kill }) => kill
    )
})

const started = (child: ReturnType<typeof spawn>, takesInput: boolean) => {
  const ending = Deferred.makeUnsafe<Ending>()
  const group = -(child.pid ?? 0)
  const signal = (name: NodeJS.Signals) =>
    Effect.sync(() => {
      try {
        process.kill(group, name)
      } catch {
        // All of it is gone.
      }
    })
  const isThere = () => {
    try {
      process.kill(group, 0)
      return true
    } catch {
      return false
    }
  }
  child.once("exit", (code, name) => {
    const how: Ending = code === null ? { _tag: "Signalled", signal: String(name) } : { _tag: "Exited", code }
    Deferred.doneUnsafe(ending, Effect.succeed(how))
  })
  child.stdin!.on("error", () => {})
  if (!takesInput) child.stdin!.end()
  const chunks = (name: OutputChunk["stream"]) =>
    Stream.callback<OutputChunk>((queue) =>
      Effect.sync(() => {
        child[name]!.on("data", (bytes: Buffer) => {
          child[name]!.pause()
          Queue.offerUnsafe(queue, { stream: name, bytes })
        })
        child[name]!.once("close", () => Queue.endUnsafe(queue))
      })
    ).pipe(Stream.tap(() => Effect.sync(() => child[name]!.resume())))
  return {
    output: Stream.merge(chunks("stdout"), chunks("stderr")),
    ending: Deferred.await(ending),
    write: (bytes: Uint8Array) =>
      Effect.callback<void, SandboxError>((resume) => {
        child.stdin!.write(bytes, (cause) =>
          resume(
            cause == null
              ? Effect.void
              : Effect.fail(new SandboxError({ backend: "process", reason: { _tag: "Gone", detail: cause.message } }))
          )
        )
      }),
    closeInput: Effect.sync(() => void child.stdin!.end()),
    resize: () => Effect.void,
    signal,
    kill: signal("SIGKILL").pipe(
      Effect.andThen(Deferred.await(ending)),
      // The others of the group may still be dying.
      Effect.andThen(Effect.repeat(Effect.delay(Effect.sync(isThere), 5), { while: (there) => there })),
      Effect.asVoid
    )
  }
}
