/** A node as it is, with a door for tests beside its own routes. Prints one line of JSON once it is ready. */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { SessionId } from "@troupe/domain/Ids"
import { Command } from "@troupe/domain/session/SessionCommand"
import { Effect, Layer, References, Result, Schema, Scope } from "effect"
import * as EntityId from "effect/cluster/EntityId"
import * as Sharding from "effect/cluster/Sharding"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { NodeAddress } from "../../src/cluster/Cluster.ts"
import { load } from "../../src/Config.ts"
import * as Node from "../../src/Node.ts"
import { layerDriver } from "../../../../e2e/support/RemoteRunner.ts"
import { CrashPoints, type CrashPoint } from "../../src/session/CrashPoints.ts"
import { OutputGate } from "../../src/session/OutputGate.ts"
import { Sessions } from "../../src/session/Sessions.ts"
import type { ReadyLine } from "./NodeProcess.ts"
import * as UngatedStore from "./UngatedStore.ts"
import { logWithout, unsafeOf } from "./unsafe.ts"

const asked = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ url }) => new URL(url, "http://node").searchParams.get("session") as SessionId
)

const decodeCommand = Schema.decodeUnknownEffect(Schema.toCodecJson(Command))

const answer = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.result(effect), (result) =>
    HttpServerResponse.jsonUnsafe(
      Result.isSuccess(result)
        ? { ok: result.success }
        : { error: { tag: result.failure._tag, text: JSON.stringify(result.failure) } }
    )
  )

/** Where this process freezes next, once. */
let freezeAt: string | null = null

const routes = HttpRouter.addAll([
  HttpRouter.route(
    "POST",
    "/test/freeze",
    Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => {
      freezeAt = new URL(url, "http://node").searchParams.get("at")
      return HttpServerResponse.jsonUnsafe({ ok: true })
    })
  ),
  HttpRouter.route(
    "POST",
    "/test/command",
    Effect.gen(function* () {
      const session = yield* asked
      const request = yield* HttpServerRequest.HttpServerRequest
      const command = yield* Effect.orDie(Effect.flatMap(request.json, decodeCommand))
      const sessions = yield* Sessions
      return yield* answer(sessions.handle(session, command))
    })
  ),
  HttpRouter.route(
    "GET",
    "/test/current",
    Effect.gen(function* () {
      const session = yield* asked
      const sessions = yield* Sessions
      return yield* answer(Effect.map(sessions.current(session), ({ epoch, version }) => ({ epoch, version })))
    })
  ),
  HttpRouter.route(
    "GET",
    "/test/owns",
    Effect.gen(function* () {
      const session = yield* asked
      const sharding = yield* Sharding.Sharding
      const owns = sharding.hasShardId(sharding.getShardId(EntityId.make(session), "default"))
      return HttpServerResponse.jsonUnsafe({ ok: owns })
    })
  )
])

const ready = Layer.effectDiscard(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const { host, port } = yield* NodeAddress
    const line: ReadyLine = { gateway: HttpServer.formatAddress(address), node: `${host}:${port}` }
    console.log(JSON.stringify(line))
  })
)

/** What fault tests add: a runner in a process of its own, a place where this one ends, and what it goes without. */
const runnerUrl = process.env["TROUPE_TEST_RUNNER"]
const unsafe = unsafeOf(process.env["TROUPE_TEST_UNSAFE"])
const [crashAt, crashAfter = "0"] = (process.env["TROUPE_TEST_CRASH"] ?? "").split(":")

let reached = 0
const reach = (point: CrashPoint) => {
  if (point === freezeAt) {
    freezeAt = null
    process.kill(process.pid, "SIGSTOP")
  }
  if (point !== crashAt || reached++ < Number(crashAfter)) return
  // Once sent, the statement is on its way: the process ends while the database works on it.
  if (point === "append.sent") setTimeout(() => process.kill(process.pid, "SIGKILL"), 1)
  else process.kill(process.pid, "SIGKILL")
}

const main = Effect.gen(function* () {
  const config = yield* load
  const log = logWithout(unsafe)
  const options = runnerUrl === undefined ? { routes, log } : { routes, log, driver: layerDriver(runnerUrl) }
  const late = yield* Scope.make()
  const before: (typeof OutputGate.Service)["before"] = (store) =>
    unsafe === "outputGate" ? UngatedStore.wrap(store, late, () => 0) : store
  return yield* Layer.launch(Layer.provide(ready, Node.layer(config, options))).pipe(
    Effect.provideService(CrashPoints, { reach }),
    Effect.provideService(OutputGate, { before }),
    Effect.provideService(References.MinimumLogLevel, config.log === "debug" ? "Debug" : "Warn")
  )
})

NodeRuntime.runMain(main)
