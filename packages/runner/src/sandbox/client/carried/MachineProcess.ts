import { Cause, Deferred, Effect, Latch, Queue, Schedule, type Scope, Stream } from "effect"
import { newBirthmark } from "../../Birthmarks.ts"
import { endingOf } from "../../endings.ts"
import type { Ending, ExecRequest, OutputChunk, Process, SandboxError, SandboxSpec } from "../../Sandbox.ts"
import { failure } from "../../SandboxFailure.ts"
import { workingDirectory } from "../../SandboxPaths.ts"
import type { ClientProcess } from "../ClientProcess.ts"
import { innerScript } from "../scripts.ts"
import { type Machine, textMax } from "./Machine.ts"

export interface MachineSandbox {
  readonly name: string
  readonly spec: SandboxSpec
  readonly machine: Machine
  /** Carries what has changed here, before something begins there that may read it. */
  readonly push: Effect.Effect<void, SandboxError>
  /** Carries what has changed there, before anybody hears of it. */
  readonly pull: Effect.Effect<void>
  readonly compared: () => ReadonlyArray<string>
  /** Does what nobody waits for. */
  readonly later: (work: Effect.Effect<void>) => Effect.Effect<void>
}

/** What is held here of what nobody has read yet. */
const heldMax = 1_048_576
/** How often a machine is asked within one request whether there is something: some fifteen seconds, or a second. */
const [longTicks, shortTicks] = [100, 30]
const again = { schedule: Schedule.exponential(300), times: 4 }

/** Starts one process in a machine that is elsewhere, and asks after it until it has ended. */
export const startProcess = Effect.fnUntraced(function* (
  { compared, later, machine, name, pull, push, spec }: MachineSandbox,
  request: ExecRequest,
  count: number
): Effect.fn.Return<ClientProcess, SandboxError, Scope.Scope> {
  const fail = failure(name)
  const number = String(count)
  const mark = String(newBirthmark(spec.sandboxId))
  yield* push
  const script = innerScript(request, workingDirectory(request.cwd), { ...spec.variables, ...request.variables })
  const text = Buffer.from(script).toString("base64")
  if (text.length > textMax) yield* machine.put(`inner.${number}`, [Buffer.from(script)])

  const reason = yield* Deferred.make<Ending>()
  const told = yield* Deferred.make<Ending>()
  const chunks = yield* Queue.unbounded<OutputChunk, Cause.Done>()
  const room = Latch.makeUnsafe(true)
  let held = 0
  let fed = 0

  const killed = Effect.andThen(Effect.ignore(machine.ask("end", number, mark)), pull)
  const end: ClientProcess["end"] = (why) => Effect.andThen(Deferred.succeed(reason, why), killed)

  yield* Effect.acquireRelease(Effect.void, () => later(Effect.ignore(machine.ask("forget", number))))
  const said = (yield* machine.ask(
    "start",
    number,
    request.input === true ? "1" : "0",
    mark,
    text.length > textMax ? "" : text
  )).toString("utf8")
  const tell = (how: Ending) =>
    Effect.flatMap(Deferred.isDone(reason), (isEnded) =>
      Effect.flatMap(isEnded ? Deferred.await(reason) : Effect.succeed(how), (ending) => Deferred.succeed(told, ending))
    )
  if (said.startsWith("directory")) {
    return yield* fail({ _tag: "BadRequest", field: "cwd", detail: "there is no such directory in the sandbox" })
  }
  if (!said.startsWith("ready")) {
    yield* killed
    return yield* fail({ _tag: "Failed", detail: `the process did not start: ${said.slice(0, 1_000)}` })
  }

  const hold = (stream: OutputChunk["stream"], bytes: Uint8Array) => {
    if (bytes.length === 0) return
    held += bytes.length
    if (held >= heldMax) room.closeUnsafe()
    Queue.offerUnsafe(chunks, { stream, bytes })
  }

  const follow = Effect.gen(function* () {
    let [out, err] = ["0", "0"]
    for (let isOver = false; ;) {
      const wants = held < heldMax
      if (isOver && !wants) yield* room.await
      const asked = ["poll", number, out, err, wants ? "1" : "0", String(wants ? longTicks : shortTicks), ...compared()]
      const reply = yield* Effect.retry(machine.ask(...asked), again)
      const line = reply.indexOf(0x0a)
      const [nextOut = out, nextErr = err, outBytes = "0", code = "-", ended, same] = reply
        .toString("latin1", 0, line)
        .split(" ")
      const body = reply.subarray(line + 1)
      // Whoever hears of it may look for what was written before it was said.
      if (same !== "1" && (body.length > 0 || (code !== "-" && !isOver))) yield* pull
      hold("stdout", body.subarray(0, Number(outBytes)))
      hold("stderr", body.subarray(Number(outBytes)))
      ;[out, err] = [nextOut, nextErr]
      if (code !== "-" && !isOver) {
        isOver = true
        yield* tell(endingOf(Number(code)))
      }
      if (ended === "1") return
    }
  }).pipe(
    Effect.catchCause((cause) => {
      const why = Cause.squash(cause)
      return tell({ _tag: "Killed", reason: why instanceof Error ? why.message : String(why) })
    }),
    Effect.ensuring(Queue.end(chunks))
  )
  yield* Effect.forkScoped(follow)
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (yield* Deferred.isDone(told)) return
      const why = { _tag: "Killed", reason: "its scope was closed" } as const
      yield* end(why)
      yield* tell(why)
    }).pipe(Effect.uninterruptible)
  )

  const write = Effect.fnUntraced(function* (bytes: Uint8Array) {
    if (request.input !== true) {
      return yield* fail({ _tag: "BadRequest", field: "input", detail: "this process has no input" })
    }
    yield* push
    for (const text of inTexts(bytes)) {
      const answer = (yield* machine.ask("feed", number, String(fed++), text)).toString("utf8").trim()
      if (answer !== "fed") return yield* fail({ _tag: "Gone", detail: "the process reads no more" })
    }
  })

  const process: Process = {
    output: Stream.fromQueue(chunks).pipe(
      Stream.tap(({ bytes }) =>
        Effect.sync(() => {
          held -= bytes.length
          if (held < heldMax) room.openUnsafe()
        })
      )
    ),
    ending: Deferred.await(told),
    write,
    closeInput: Effect.ignore(machine.ask("close", number)),
    resize: () => Effect.void,
    signal: (signal) =>
      signal === "SIGKILL"
        ? end({ _tag: "Signalled", signal })
        : Effect.ignore(machine.ask("signal", mark, signal.slice("SIG".length)))
  }
  return { process, end }
})

const inTexts = (bytes: Uint8Array): ReadonlyArray<string> => {
  const most = (textMax / 4) * 3
  return Array.from({ length: Math.ceil(bytes.length / most) }, (_, index) =>
    Buffer.from(bytes.subarray(index * most, (index + 1) * most)).toString("base64")
  )
}
