import { RunnerAway } from "@troupe/domain/runner/Attempt"
import { Effect, Layer, Stream } from "effect"
import * as RpcServer from "effect/rpc/RpcServer"
import { derive } from "../cluster/ClusterSecret.ts"
import { type RelayedCallTag, type RelayedStreamTag, RelayedRpc } from "./Calls.ts"
import { RunnerLinks } from "./RunnerLinks.ts"

/** Names the runner that a relayed call is for. */
export const runnerHeader = "x-troupe-runner"

const streams: ReadonlySet<string> = new Set<RelayedStreamTag>([
  "Run",
  "Attach",
  "Exec",
  "ReadTerminal",
  "ReadFile",
  "WatchFiles",
  "Diff"
])

interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Hands calls of other nodes on to the runners whose sockets this node holds. */
const handlers = RelayedRpc.toLayer(
  Effect.gen(function* () {
    const links = yield* RunnerLinks

    const calling =
      (tag: RelayedCallTag) =>
      (payload: never, { headers }: Request) =>
        Effect.suspend(() => {
          const runnerId = headers[runnerHeader] ?? ""
          const link = links.get(runnerId)
          if (link === undefined) return Effect.fail(new RunnerAway({ runnerId }))
          return Effect.catchTag(link.connection.call(runnerId, tag, payload), "RunnerFault", Effect.die)
        })

    const streaming =
      (tag: RelayedStreamTag) =>
      (payload: never, { headers }: Request) =>
        Stream.suspend(() => {
          const runnerId = headers[runnerHeader] ?? ""
          const link = links.get(runnerId)
          if (link === undefined) return Stream.fail(new RunnerAway({ runnerId }))
          const stream: Stream.Stream<unknown, { readonly _tag: string }> = link.connection.stream(
            runnerId,
            tag,
            payload
          )
          return stream.pipe(
            Stream.catchIf((error) => error._tag === "RunnerFault", Stream.die),
            // What came in several messages must not go on in one that is too large.
            Stream.rechunk(1)
          )
        })

    const tags = [...RelayedRpc.requests.keys()]
    return Object.fromEntries(
      tags.map((tag) => [tag, streams.has(tag) ? streaming(tag as RelayedStreamTag) : calling(tag as RelayedCallTag)])
    ) as never
  })
)

/** The door for other nodes, beside the cluster's own and as secret as it. */
export const routes = Layer.unwrap(
  Effect.map(derive("relay"), (path) =>
    RpcServer.layer(RelayedRpc, { disableTracing: true, disableFatalDefects: true, concurrency: "unbounded" }).pipe(
      Layer.provide(handlers),
      Layer.provide(RpcServer.layerProtocolWebsocket({ path: `/${path}` }))
    )
  )
)
