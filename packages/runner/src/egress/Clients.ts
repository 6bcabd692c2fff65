import { Effect } from "effect"
import type { Agent } from "node:http"
import type { Duplex } from "node:stream"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import type { Rewrite } from "./Interception.ts"
import type { SandboxEgress } from "./SandboxEgress.ts"
import { upstreamAgent } from "./UpstreamAgent.ts"

/** Set where TLS was ended here: every request of the connection goes to the host it was opened for. */
export interface Within {
  readonly asked: Endpoint
  readonly rewrite: Rewrite
}

/** A connection of a program in the sandbox, with the connections that its requests go on through. */
export interface Client {
  readonly agent: Agent
  readonly within: Within | undefined
}

export type Clients = (socket: Duplex, within?: Within) => Client

/** The client of a socket, made when it is first asked for. */
export const makeClients = ({ outbound, run, trust }: SandboxEgress): Clients => {
  const clients = new WeakMap<Duplex, Client>()

  const plain = (asked: Endpoint) =>
    Effect.map(outbound.dial(asked), ({ address, socket }) => ({ stream: socket as Duplex, address }))

  const secure = (asked: Endpoint) =>
    Effect.gen(function* () {
      const { address, socket } = yield* outbound.dial(asked)
      const stream: Duplex = yield* trust.secure(socket, asked)
      return { stream, address }
    })

  return (socket, within) => {
    const known = clients.get(socket)
    if (known !== undefined) return known
    const client = { agent: upstreamAgent(within === undefined ? plain : secure, run), within }
    clients.set(socket, client)
    socket.once("close", () => client.agent.destroy())
    return client
  }
}
