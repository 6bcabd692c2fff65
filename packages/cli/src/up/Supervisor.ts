import { Clock, Deferred, Effect, Schema, Scope } from "effect"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { waitLine } from "../app/progress.ts"
import { whileTelling } from "../app/whileTelling.ts"
import { freePort, type PortTaken, urlOf } from "./address.ts"
import { ChildLog } from "./ChildLog.ts"
import { lackOfRoom, tellsOfFullDisk } from "./fullDisk.ts"
import { detailOf, Home, HomeUnusable, makeDirectory } from "./Home.ts"
import { awaitEnd, keep, type Keeper } from "./Keeper.ts"
import type { Part, PartEnded } from "./Part.ts"
import * as parts from "./parts.ts"
import * as Postgres from "./Postgres.ts"
import { recordOf } from "./Program.ts"
import { until } from "./Readiness.ts"
import { keptSecret } from "./secrets.ts"
import { starter } from "./starter.ts"
import { follow, say, tellEnd, told } from "./Talk.ts"
import type { UpConfig } from "./UpConfig.ts"

/** A part could not be brought to run. */
export class StartFailed extends Schema.TaggedError<StartFailed>()("StartFailed", { detail: Schema.String }) {
  override get message() {
    return `Troupe did not start: ${this.detail}`
  }
}

export interface Supervised {
  readonly url: string
  /** Starts them. The node answers then, and a runner can be used. */
  readonly ready: Effect.Effect<{ readonly url: string; readonly inMs: number }, StartFailed | HomeUnusable>
  /** Ends all in order: first who works, while there is a node to take down what comes of it, then the node, then the database. */
  readonly stop: Effect.Effect<void>
  /** Ends all at once. */
  readonly kill: Effect.Effect<void>
}

const prepare = (config: UpConfig) =>
  Effect.try({
    try: () => {
      const lacks = lackOfRoom(config.home, config.databaseUrl === null)
      if (lacks !== null) throw new Error(lacks)
      for (const directory of [parts.logsOf(config.home), join(config.home, "run")]) {
        if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 })
      }
      // What is secret in it is in files of its own; the accounts of sandboxes pass through it.
      makeDirectory(config.runnerState)
    },
    catch: (cause) => new HomeUnusable({ home: config.home, detail: detailOf(cause) })
  })

/** A node that a dead supervisor left keeps its port, also where any would do. */
const choosePort = Effect.fnUntraced(function* ({ home, host, port }: UpConfig) {
  const left = recordOf(home, "node")?.url ?? null
  const kept = left === null ? null : Number(new URL(left).port)
  return kept !== null && (port === 0 || port === kept) ? kept : yield* freePort(host, port)
})

const stopOrder = ["runner", "node", "postgres"] as const

/** How long the end of all waits for what was told to end at once. */
const killedWithinMs = 5_000

/**
 * Starts the processes of the all-in-one and keeps them running. They belong to nobody's scope: a supervisor that dies
 * leaves them as they are, and the next one finds them.
 */
export const supervise = Effect.fn("Supervisor.supervise")(function* (
  config: UpConfig
): Effect.fn.Return<Supervised, HomeUnusable | PortTaken, Home | Scope.Scope> {
  const begun = yield* Clock.currentTimeMillis
  const { announce } = yield* Home
  yield* prepare(config)
  const port = yield* choosePort(config)
  const url = urlOf(config.host, port)
  yield* announce(url)
  const tokenFile = join(config.runnerState, "registration-token")
  const token = config.runnerToken ?? (yield* keptSecret(tokenFile, "trp_reg_"))
  const logOf = (name: Part["name"]) => new ChildLog(join(parts.logsOf(config.home), `${name}.log`))
  const logs = { postgres: logOf("postgres"), node: logOf("node"), runner: logOf("runner") }
  // While processes come and go in order, that they miss each other is no news.
  let isTroubleNews = false
  yield* Effect.forkScoped(follow(Object.entries(logs), () => isTroubleNews))

  const failed = yield* Deferred.make<never, StartFailed | HomeUnusable>()
  const givenUp = (part: Part, how: PartEnded) => {
    const detail = tellEnd(how, part.log)
    const isFull = tellsOfFullDisk(detail)
    return Deferred.fail(
      failed,
      isFull ? new HomeUnusable({ home: config.home, detail: "the disk is full" }) : new StartFailed({ detail })
    )
  }
  const keepers: Array<Keeper> = []
  const scope = yield* Effect.scope
  const begin = Effect.fnUntraced(function* (part: Part) {
    const keeper = yield* keep(part, { ...told, givenUp: (of, how) => Effect.asVoid(givenUp(of, how)) })
    keepers.push(keeper)
    yield* keeper.started
    return keeper
  }, Scope.provide(scope))

  let node: Keeper | null = null
  let postgresPort: number | null = null
  const onPort = Effect.fnUntraced(function* (found: number) {
    const moved = postgresPort !== null && postgresPort !== found
    postgresPort = found
    // It looks for its database where it was.
    if (moved && node !== null) yield* node.restart
  })

  const start = Effect.gen(function* () {
    if (config.databaseUrl === null) {
      yield* begin(Postgres.part(config.home, config.postgres, logs.postgres, onPort))
    }
    node = yield* begin(parts.node(config, port, token, logs.node))
    // It tries again until the node listens, and loads meanwhile.
    yield* begin(parts.runner(config, port, token, logs.runner))
    yield* until(url, ({ _tag }) => _tag === "Ready")
    yield* starter(config, url)
    for (const keeper of keepers) keeper.settled()
    isTroubleNews = true
    const inMs = (yield* Clock.currentTimeMillis) - begun
    yield* announce(url, "ready")
    return { url, inMs }
  })

  const stopOne = (keeper: Keeper) => {
    const { name, stopping } = keeper.part
    const mostMs = stopping.signals.reduce((sum, [, withinMs]) => sum + withinMs, 0)
    const stopped = whileTelling((ms) => waitLine(ms, mostMs), keeper.stop)
    return Effect.andThen(say(`Stopping ${name} …`), stopped)
  }
  // The database is the last to go: those who use it end before.
  const inOrder = () => stopOrder.flatMap((name) => keepers.filter(({ part }) => part.name === name))
  const stop = Effect.suspend(() => {
    isTroubleNews = false
    return Effect.forEach(inOrder(), stopOne, { discard: true })
  })
  const kill = Effect.suspend(() => {
    for (const keeper of keepers) keeper.kill()
    return Effect.forEach(keepers, (keeper) => awaitEnd(keeper, killedWithinMs), {
      concurrency: "unbounded",
      discard: true
    })
  })
  return { url, ready: Effect.raceFirst(start, Deferred.await(failed)), stop, kill }
})
