import { Deferred, Effect, Exit, Fiber, Option, Scope, Semaphore, Stream } from "effect"
import { randomBytes } from "node:crypto"
import type { Ending, ExecRequest, OutputChunk, Process, SandboxError } from "../../sandbox/Sandbox.ts"
import type { Spill } from "../Spill.ts"
import { MarkerScanner } from "./MarkerScanner.ts"
import { type Collected, OutputCollector, type OutputLimits } from "./OutputCollector.ts"
import { preparation, scriptOf, shellCommand } from "./shellScript.ts"

export interface ShellRun extends OutputLimits {
  readonly command: string
  readonly timeoutMs: number
  readonly spill: Effect.Effect<Spill>
}

/** How a command in the shell ended. */
export type ShellEnding =
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "TimedOut"; readonly afterMs: number }
  /** The shell itself is gone, and what it knew; the next command gets a new one. */
  | { readonly _tag: "ShellEnded"; readonly ending: Ending }

export interface ShellResult {
  readonly ending: ShellEnding
  readonly output: Collected
  readonly stderrBytes: number
  /** What processes in the background had said since the command before, at most its end. */
  readonly background: string
}

/** The shell of a session: one at a time uses it, and what one command leaves there the next one finds. */
export interface Shell {
  readonly run: (run: ShellRun) => Effect.Effect<ShellResult, SandboxError>
  /** Ends it with all it started. The next command gets a new one. */
  readonly restart: Effect.Effect<void>
}

/** One shell process, from its start to its death. */
interface Live {
  readonly process: Process
  /** Who takes what the process says: the command that runs, or the memory of the background. */
  sink: (chunk: OutputChunk) => Effect.Effect<void>
  /** The process has ended, and all that it said was taken. */
  readonly ended: Deferred.Deferred<Ending>
  readonly background: Background
  readonly close: Effect.Effect<void>
}

/** The end of what was said while no command ran. */
class Background {
  private bytes: Buffer = Buffer.alloc(0)

  readonly take = (bytes: Uint8Array): void => {
    if (bytes.length > 0) this.bytes = Buffer.concat([this.bytes, bytes]).subarray(-backgroundBytesMax)
  }

  give(): string {
    const given = this.bytes.toString("utf8").replaceAll("\0", "\ufffd")
    this.bytes = Buffer.alloc(0)
    return given
  }
}

const backgroundBytesMax = 8_192
/** How long processes that outlive their shell may keep its output open. */
const lingerMs = 1_000

/** It lives as long as the scope, and is started by its first command. */
export const makeShell = Effect.fnUntraced(function* (
  exec: (request: ExecRequest) => Effect.Effect<Process, SandboxError, Scope.Scope>
): Effect.fn.Return<Shell, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const turn = Semaphore.makeUnsafe(1)
  let live: Live | null = null

  const end = Effect.suspend(() => {
    const ending = live?.close ?? Effect.void
    live = null
    return ending
  })

  const start = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      if (live !== null) return live
      const own = yield* Scope.fork(scope)
      const begun = yield* Effect.exit(restore(begin(exec, own)))
      if (Exit.isSuccess(begun)) return (live = begun.value)
      yield* Scope.close(own, begun)
      return yield* begun
    })
  )

  const run = Effect.fn("Shell.run")(function* (asked: ShellRun) {
    const shell = yield* start
    const command = new Command(asked, shell)
    shell.sink = command.take
    const ending = yield* shell.process.write(command.script).pipe(
      // A shell that is gone takes no command; that it is gone is what there is to say.
      Effect.catch(() => Effect.void),
      Effect.andThen(Effect.raceFirst(Deferred.await(command.code), Deferred.await(shell.ended))),
      Effect.timeoutOption(asked.timeoutMs),
      Effect.onInterrupt(() => end)
    )
    if (Option.isNone(ending)) {
      yield* end
      return command.result({ _tag: "TimedOut", afterMs: asked.timeoutMs })
    }
    if (typeof ending.value === "number") {
      shell.sink = aside(shell.background)
      return command.result({ _tag: "Exited", code: ending.value })
    }
    yield* command.leftOver
    yield* end
    return command.result({ _tag: "ShellEnded", ending: ending.value })
  })

  return {
    run: (asked) => turn.withPermits(1)(run(asked)),
    restart: turn.withPermits(1)(end)
  }
})

const begin = Effect.fnUntraced(function* (
  exec: (request: ExecRequest) => Effect.Effect<Process, SandboxError, Scope.Scope>,
  own: Scope.Closeable
) {
  const process = yield* Scope.provide(exec({ command: shellCommand, input: true }), own)
  const background = new Background()
  const ended = Deferred.makeUnsafe<Ending>()
  const live: Live = { process, sink: aside(background), ended, background, close: Scope.close(own, Exit.void) }
  const pump = yield* Effect.forkIn(
    Stream.runForEach(process.output, (chunk) => live.sink(chunk)),
    own
  )
  yield* process.ending.pipe(
    Effect.tap(() => Effect.timeoutOption(Fiber.await(pump), lingerMs)),
    Effect.flatMap((ending) => Deferred.succeed(ended, ending)),
    Effect.forkIn(own)
  )
  yield* process.write(Buffer.from(preparation))
  return live
})

const aside = (background: Background) => (chunk: OutputChunk) => Effect.sync(() => background.take(chunk.bytes))

/** A command that runs, and what it has said so far. */
class Command {
  readonly script: Uint8Array
  readonly code = Deferred.makeUnsafe<number>()
  private readonly background: Background
  private readonly before: string
  private readonly output: OutputCollector
  private readonly scanners: Readonly<Record<OutputChunk["stream"], MarkerScanner>>
  private stderrBytes = 0

  constructor(asked: ShellRun, { background }: Live) {
    const word = randomBytes(16).toString("hex")
    this.script = Buffer.from(scriptOf(asked.command, word))
    this.background = background
    this.before = background.give()
    this.output = new OutputCollector(asked, asked.spill)
    this.scanners = { stdout: new MarkerScanner(word), stderr: new MarkerScanner(word) }
  }

  readonly take = ({ bytes, stream }: OutputChunk): Effect.Effect<void> => {
    const { output, rest } = this.scanners[stream].take(bytes)
    if (stream === "stderr") this.stderrBytes += output.length
    this.background.take(rest)
    const { stderr, stdout } = this.scanners
    const isOver = stdout.said !== null && stderr.said !== null
    const taken = this.output.take(output)
    return isOver ? Effect.andThen(taken, Deferred.succeed(this.code, Number(stdout.said))) : taken
  }

  /** What looked like the beginning of a mark, of a shell that ended before it. */
  readonly leftOver = Effect.suspend(() =>
    Effect.andThen(this.output.take(this.scanners.stdout.leftOver()), this.output.take(this.scanners.stderr.leftOver()))
  )

  result(ending: ShellEnding): ShellResult {
    return { ending, output: this.output.result(), stderrBytes: this.stderrBytes, background: this.before }
  }
}
