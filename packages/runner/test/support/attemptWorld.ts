import type { AttemptRef, Output, RunRequest } from "@troupe/domain/runner/Attempt"
import type { Frame } from "@troupe/domain/session/Frame"
import { Context, Deferred, Effect, Exit, Layer, type Scope, Stream } from "effect"
import { AskDesk } from "../../src/attempt/AskDesk.ts"
import { AttemptEngine } from "../../src/attempt/AttemptEngine.ts"
import { Attempts } from "../../src/attempt/Attempts.ts"
import { AttemptToolsFactory } from "../../src/attempt/AttemptTools.ts"
import { Signal } from "../../src/attempt/Signal.ts"
import type { Harness } from "../../src/harness/Harness.ts"
import { Harnesses } from "../../src/harness/Harnesses.ts"
import { defaultSizes, type JournalSizes } from "../../src/journal/AttemptJournal.ts"
import { BlobClient } from "../../src/link/BlobClient.ts"
import { BlobError } from "../../src/link/BlobError.ts"
import { Journal } from "../../src/journal/Journal.ts"

export interface WorldOptions {
  readonly directory: string
  readonly run: Harness["run"]
  readonly capacity?: number
  readonly sizes?: Partial<JournalSizes>
}

export const timing = { contactLeaseMs: 60_000, contactEveryMs: 5_000, interruptGraceMs: 800 }

const tools = AttemptToolsFactory.of({
  open: () =>
    Effect.succeed({
      calls: {
        catalog: [],
        call: () => Effect.die("no tools here"),
        request: () => Effect.die("no tools here"),
        resume: Effect.succeed([])
      },
      atEnd: () => Effect.void
    })
})

const refused = (sha256: string | null) =>
  Effect.fail(new BlobError({ sha256, reason: "refused", detail: "no node is here" }))

const noBlobs = Layer.succeed(BlobClient, {
  exists: (_, name) => refused(name),
  missing: () => refused(null),
  put: () => refused(null),
  get: (_, name) => refused(name)
})

export const scriptedHarness = (run: Harness["run"]): Harness => ({
  name: "scripted",
  capabilities: [],
  probe: Effect.succeed({ version: "1", usable: true, notes: [] }),
  run
})

/** A runner's attempts over a real journal, with a harness that does what the test says. */
export const attemptsLayer = ({ capacity = 10, directory, run, sizes = {} }: WorldOptions) =>
  Attempts.layer({ capacity, timing }).pipe(
    Layer.provide(AttemptEngine.layer),
    Layer.provide(Layer.succeed(AttemptToolsFactory, tools)),
    Layer.provide(noBlobs),
    Layer.provide(Harnesses.layer(scriptedHarness(run))),
    Layer.provideMerge(AskDesk.layer),
    Layer.provideMerge(Journal.layer(directory, { ...defaultSizes, ...sizes }))
  )

/** One start of the runner, until the scope closes. */
export const start = (options: WorldOptions): Effect.Effect<Attempts["Service"], unknown, Scope.Scope> =>
  Effect.map(Layer.build(attemptsLayer(options)), (services) => Context.get(services, Attempts))

/** A runner's life that ends as a process does, without goodbye. */
export const life = <A, E>(
  options: WorldOptions,
  live: (attempts: Attempts["Service"]) => Effect.Effect<A, E, Scope.Scope>
) => Effect.scoped(Effect.flatMap(start(options), live))

export const refOf = ({ attemptId, epoch, runnerId, sessionId, threadId, turnId }: RunRequest): AttemptRef => ({
  sessionId,
  epoch,
  threadId,
  turnId,
  attemptId,
  runnerId
})

/** What an owner does with an attempt's stream, without acknowledging anything by itself. */
export class Follower {
  readonly seen: Array<Output> = []
  readonly signal = new Signal()
  readonly ended = Deferred.makeUnsafe<Exit.Exit<void, { readonly _tag: string }>>()

  get frames(): ReadonlyArray<Frame> {
    return this.seen.flatMap((output) => (output._tag === "Frames" ? output.frames : []))
  }

  get numbers(): ReadonlyArray<number> {
    return this.frames.map(({ n }) => n)
  }

  get tags(): ReadonlyArray<string> {
    return this.frames.map(({ body }) => body._tag)
  }

  get contact(): number {
    return this.seen.reduce((last, output) => (output._tag === "Contact" ? output.contact : last), 0)
  }

  get text(): string {
    return this.seen.map((output) => (output._tag === "Delta" ? output.text : "")).join("")
  }

  /** Waits until something was seen. */
  until(condition: (follower: Follower) => boolean): Effect.Effect<void> {
    return this.signal.until(() => condition(this))
  }

  /** How the stream ended: the tag of its error, or `done`. */
  get ending(): Effect.Effect<string> {
    return Effect.map(Deferred.await(this.ended), (exit) => {
      if (Exit.isSuccess(exit)) return "done"
      const reason = exit.cause.reasons[0]
      return reason?._tag === "Fail" ? reason.error._tag : (reason?._tag ?? "nothing")
    })
  }
}

export const follow = Effect.fnUntraced(function* (stream: Stream.Stream<Output, { readonly _tag: string }>) {
  const follower = new Follower()
  const reading = Stream.runForEach(stream, (output) =>
    Effect.sync(() => {
      follower.seen.push(output)
      follower.signal.touch()
    })
  )
  yield* Effect.forkScoped(Effect.flatMap(Effect.exit(reading), (exit) => Deferred.succeed(follower.ended, exit)))
  return follower
})
