// A scripted runner as a process: `node e2e/support/runner-main.ts SEED LEASE_MS`. Prints its URL and lives until it is ended.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { RunnerId } from "@troupe/domain/Ids"
import { Effect, Layer, Stream } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { createServer } from "node:http"
import { drawScript, type Script } from "../../packages/server/test/support/AttemptScript.ts"
import { mintId, prng } from "../../test/support/Prng.ts"
import * as ScriptedRunner from "../../packages/server/test/support/ScriptedRunner.ts"
import { RemoteRunner } from "./RemoteRunner.ts"

const random = prng(Number(process.argv[2]))
const contactLeaseMs = Number(process.argv[3])
const scripts = new Map<string, Script>()

const handlers = RemoteRunner.toLayer(
  Effect.gen(function* () {
    const { driver, notes } = yield* ScriptedRunner.make({
      random: random.fork(1),
      contactLeaseMs,
      runnerId: mintId(random, "Runner") as RunnerId,
      script: ({ attemptId }) => {
        const known = scripts.get(attemptId)
        if (known !== undefined) return known
        const drawn = drawScript(random.fork(100 + scripts.size), contactLeaseMs)
        scripts.set(attemptId, drawn)
        return drawn
      }
    })
    return RemoteRunner.of({
      Place: () => driver.place(undefined as never),
      Run: ({ request }) => Stream.rechunk(driver.run(request), 1),
      Attach: ({ afterFrame, attempt }) => Stream.rechunk(driver.attach(attempt, afterFrame), 1),
      Acknowledge: ({ attempt, ...heard }) => driver.acknowledge(attempt, heard),
      Deliver: ({ attempt, delivery }) => driver.deliver(attempt, delivery),
      Revoke: ({ attempt }) => driver.revoke(attempt),
      Notes: () => Effect.sync(() => [...notes])
    })
  })
)

const said = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  if (address._tag !== "UnixPathAddress") process.stdout.write(`ws://127.0.0.1:${address.port}/runner\n`)
})

const main = Layer.mergeAll(
  HttpRouter.serve(
    RpcServer.layer(RemoteRunner).pipe(
      Layer.provide(handlers),
      Layer.provide(RpcServer.layerProtocolWebsocket({ path: "/runner" }))
    ),
    { disableLogger: true, disableListenLog: true }
  ),
  Layer.effectDiscard(said)
).pipe(
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
)

NodeRuntime.runMain(Layer.launch(main))
