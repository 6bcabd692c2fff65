import { Effect, Exit, Scope } from "effect"
import { Agent } from "node:http"
import type { Duplex } from "node:stream"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import type { EgressProblem } from "./answers.ts"

/** How long a connection waits for another request of the same client. */
const keptMs = 15_000

export interface UpstreamConnection {
  readonly stream: Duplex
  readonly address: string
}

const addresses = new WeakMap<Duplex, string>()

/** The address that a connection of ours goes to. */
export const addressOf = (stream: Duplex): string | undefined => addresses.get(stream)

/**
 * Connections to the other side for the requests of one client connection: kept between two requests, used by nobody else
 * and gone with it. How one is made is ours, so that Node never looks a name up.
 */
export const upstreamAgent = (
  connect: (asked: Endpoint) => Effect.Effect<UpstreamConnection, EgressProblem, Scope.Scope>,
  run: (effect: Effect.Effect<void>) => void
): Agent => {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2, timeout: keptMs, scheduling: "lifo" })
  agent.createConnection = (options, callback) => {
    const asked = { host: String(options.host), port: Number(options.port) }
    const scope = Scope.makeUnsafe()
    run(
      connect(asked).pipe(
        Scope.provide(scope),
        Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)),
        Effect.match({
          onFailure: (problem) => callback?.(problem, undefined as never),
          onSuccess: ({ address, stream }) => {
            addresses.set(stream, address)
            stream.once("close", () => Effect.runFork(Scope.close(scope, Exit.void)))
            callback?.(null, stream)
          }
        })
      )
    )
    return undefined
  }
  return agent
}
