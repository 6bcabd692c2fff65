import * as NodeWS from "@effect/platform-node/NodeWS"
import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import { spoken } from "@troupe/domain/runner/Protocol"
import { Deferred, Effect, type Scope } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { Signal } from "../../src/attempt/Signal.ts"
import { runnerId } from "./requests.ts"
import { fromWords, prefixes } from "@troupe/domain/Ids"

const makeClient = () => RpcClient.make(RunnerRpc, { disableTracing: true })

/** One connection of a runner, as a node sees it. */
export interface TestLink {
  readonly client: Effect.Success<ReturnType<typeof makeClient>>
  readonly ws: NodeWS.WebSocket
  readonly closed: Deferred.Deferred<void>
}

/** The small part of a node that runners meet: registering, the door, greetings and pings. */
export class TestNode {
  readonly registrations: Array<unknown> = []
  readonly links: Array<TestLink> = []
  readonly signal = new Signal()
  readonly refusals: Array<number> = []
  /** What the door answers instead of opening. */
  refuse: number | null = null
  pings = true
  url = ""

  readonly start: Effect.Effect<void, never, Scope.Scope> = Effect.gen({ self: this }, function* () {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const scope = yield* Effect.scope
    const sockets = new NodeWS.WebSocketServer({ noServer: true, maxPayload: 16 * 1_048_576 })
    const http = createServer((request, response) => {
      void read(request).then((body) => {
        this.registrations.push({ authorization: request.headers.authorization, body })
        this.signal.touch()
        const workspace = fromWords(prefixes.Workspace, 0, 0, 0, 1)
        response.end(JSON.stringify({ runner_id: runnerId, workspace_id: workspace, credential: "rcred_secret" }))
      })
    })
    http.on("upgrade", (request, socket, head) => {
      const status = request.headers.authorization === "Bearer rcred_secret" ? this.refuse : 401
      if (status !== null) {
        this.refusals.push(status)
        this.signal.touch()
        socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
        return
      }
      sockets.handleUpgrade(
        request,
        socket,
        head,
        (ws) => void fork(Effect.forkIn(Effect.scoped(this.serve(ws)), scope))
      )
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.sync(() => {
          for (const ws of sockets.clients) ws.terminate()
          http.closeAllConnections()
          http.close()
        })
    )
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  })

  /** The newest link, once there are so many greeted ones. */
  link(count: number): Effect.Effect<TestLink> {
    return Effect.map(
      this.signal.until(() => this.links.length >= count),
      () => this.links.at(-1)!
    )
  }

  readonly serve = Effect.fnUntraced(
    function* (this: TestNode, ws: NodeWS.WebSocket) {
      const closed = Deferred.makeUnsafe<void>()
      ws.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
      const socket = yield* Socket.fromWebSocket(Effect.succeed(ws as unknown as Socket.WebSocketLike))
      const transport = yield* RpcClient.makeProtocolSocket({
        retryTransientErrors: false,
        pingInterval: 3_600_000
      }).pipe(Effect.provideService(Socket.Socket, socket), Effect.provide(RpcSerialization.layerSchemaBinary()))
      const client = yield* Effect.provideService(makeClient(), RpcClient.Protocol, transport)
      yield* client.Hello({ versions: spoken, runnerId, generation: this.links.length + 1, node: "test" })
      this.links.push({ client, ws, closed })
      this.signal.touch()
      const ping = Effect.suspend(() => (this.pings ? client.Ping({ n: 1 }) : Effect.void)).pipe(
        Effect.andThen(Effect.sleep(200)),
        Effect.forever
      )
      yield* Effect.raceFirst(Deferred.await(closed), Effect.ignore(ping).pipe(Effect.andThen(Effect.never)))
    },
    (effect) => Effect.ignore(effect)
  )
}

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}
