import { Deferred, Effect, Schema, type Scope, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { attachContainer } from "./Engine.ts"
import type { EngineApi } from "./EngineApi.ts"
import type { EngineError } from "./EngineError.ts"
import { output } from "./EngineStream.ts"

/** Somebody in the sandbox has stopped or killed the keeper, or its container has ended. */
export class KeeperSilent extends Schema.TaggedError<KeeperSilent>()("KeeperSilent", { order: Schema.String }) {
  override get message() {
    return `The sandbox's keeper does not answer to ${this.order}`
  }
}

/** What the container's own process does for us inside. It can be had by whoever runs in there, and is not believed. */
export interface Keeper {
  /** Its number in the container. */
  readonly pid: string
  /** Kills an exec's processes, and what belongs to no exec any more. */
  readonly finish: (token: string) => Effect.Effect<void, KeeperSilent>
  /** To an exec's program and all it started; answers whether there was any. */
  readonly signal: (token: string, name: "INT" | "TERM" | "KILL") => Effect.Effect<boolean, KeeperSilent>
  /** Whether a process may begin in this directory. */
  readonly canEnter: (path: string) => Effect.Effect<boolean, KeeperSilent>
  /** Kills everything but itself. */
  readonly reset: Effect.Effect<void, KeeperSilent>
  /** How often the kernel has killed something here for want of memory; undefined where it doesn't say. */
  readonly memoryKills: Effect.Effect<number | undefined, KeeperSilent>
  readonly isGone: Effect.Effect<boolean>
}

const patience = "10 seconds"

// Other processes of the sandbox can write where the keeper does: without end, or without a line's end.
const lineLengthMax = 256

export const attach = Effect.fn("Keeper.attach")(function* (
  engine: EngineApi,
  container: string
): Effect.fn.Return<Keeper, EngineError | KeeperSilent, Scope.Scope> {
  const connection = yield* attachContainer(engine, container)
  const waiting = new Map<string, Deferred.Deferred<string, KeeperSilent>>()
  const gone = yield* Deferred.make<void>()
  // Orders of a runner before us may still be answered.
  const ours = randomUUID().slice(0, 8)
  let count = 0

  let line = ""
  const arrived = (text: string) => {
    const lines = `${line}${text}`.split("\n")
    line = (lines.pop() ?? "").slice(-lineLengthMax)
    for (const each of lines) {
      const [number = "", answer = ""] = each.split(" ")
      const deferred = waiting.get(number)
      if (deferred !== undefined) Deferred.doneUnsafe(deferred, Effect.succeed(answer))
    }
  }
  yield* Stream.fromAsyncIterable(output(connection, false), () => undefined).pipe(
    Stream.runForEach(({ bytes }) => Effect.sync(() => arrived(Buffer.from(bytes).toString("latin1")))),
    Effect.ignore,
    Effect.ensuring(Deferred.succeed(gone, undefined)),
    Effect.forkScoped
  )

  const order = Effect.fnUntraced(function* (...words: readonly [string, ...ReadonlyArray<string>]) {
    const number = `${ours}-${count++}`
    const answer = yield* Deferred.make<string, KeeperSilent>()
    waiting.set(number, answer)
    connection.socket.write(`${[number, ...words].join(" ")}\n`)
    const silent = Effect.fail(new KeeperSilent({ order: words[0] }))
    return yield* Deferred.await(answer).pipe(
      Effect.raceFirst(Effect.andThen(Deferred.await(gone), silent)),
      Effect.timeoutOrElse({ duration: patience, orElse: () => silent }),
      Effect.ensuring(Effect.sync(() => waiting.delete(number)))
    )
  })

  const pid = yield* order("ready")
  return {
    pid,
    finish: (token) => Effect.asVoid(order("finish", token)),
    signal: (token, name) => Effect.map(order("signal", token, name), (answer) => answer === "done"),
    // Orders are lines, and such a path would be two; then the engine finds out.
    canEnter: (path) =>
      path.includes("\n") ? Effect.succeed(true) : Effect.map(order("enter", path), (answer) => answer === "done"),
    reset: Effect.asVoid(order("reset")),
    memoryKills: Effect.map(order("memory"), (answer) => (/^\d+$/.test(answer) ? Number(answer) : undefined)),
    isGone: Deferred.isDone(gone)
  }
})
