import type { Troupe } from "@troupe/client"
import { Effect, Redacted } from "effect"
import { ContextName } from "../app/globals.ts"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble } from "../app/Trouble.ts"
import { config as readConfig, troubleOf as troubleOfFailure } from "../up/failures.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { type Server, serverOf } from "./ConnectionConfig.ts"
import { clientOf, type Patience, type Reached } from "./reach.ts"
import { troubleOf } from "./troubles.ts"

/** A server that commands talk to. */
export interface Connection extends Reached {
  readonly server: Server
  /** Asks the server, and says in plain words what came between. */
  readonly ask: <A>(question: (troupe: Troupe) => PromiseLike<A>) => Effect.Effect<A, Trouble>
}

export const config: Effect.Effect<UpConfig, Trouble> = Effect.mapError(readConfig, troubleOfFailure)

/** Which server is meant. */
export const findServer = Effect.fnUntraced(function* (given: UpConfig) {
  const context = yield* ContextName
  const found = yield* Effect.try({
    try: () => serverOf(given, context),
    catch: (cause) => (cause instanceof Trouble ? cause : unreadable(cause))
  })
  return found instanceof Trouble ? yield* found : found
})

const unreadable = (cause: unknown) =>
  new Trouble({ what: (cause as Error).message, advice: null, code: exitCodes.refused })

export const connectTo = (
  server: Server,
  patience: Patience = "hasty",
  onTrouble: () => void = () => undefined
): Connection => {
  const troupe = clientOf(server.url, Redacted.value(server.key), patience, onTrouble)
  return {
    server,
    troupe,
    ask: (question) =>
      Effect.tryPromise({
        try: async () => await question(troupe),
        catch: (error) => troubleOf(error, server)
      })
  }
}

const saidAgainAfterMs = 60_000

/** Says of a connection that broke that it is tried again, and not each time that it is. */
const sayBroken = ({ url }: Server): (() => void) => {
  let said = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (now - said < saidAgainAfterMs) return
    said = now
    process.stderr.write(`The connection to ${url} broke; nothing is lost, it is tried again.\n`)
  }
}

/**
 * A connection that outlives a restart of its server. Who is not there at all, or does not take the key, is not waited for:
 * of the home's own server it is known that it is kept running.
 */
export const connectPatiently = Effect.fnUntraced(function* (server: Server) {
  if (!server.isOurs) yield* connectTo(server).ask(({ access }) => access.me())
  return connectTo(server, "patient", sayBroken(server))
})

/** Talks to the server that is meant. */
export const connect = Effect.fnUntraced(function* (patience: Patience = "hasty") {
  const server = yield* findServer(yield* config)
  return patience === "patient" ? yield* connectPatiently(server) : connectTo(server)
})

/** So many of a list. */
export const take = async <A>(items: AsyncIterable<A>, count: number): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  if (count === 0) return all
  for await (const item of items) if (all.push(item) >= count) break
  return all
}
