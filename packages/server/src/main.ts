// First, so that every schema that is made later is compiled.
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, References } from "effect"
import * as HttpServer from "effect/http/HttpServer"
import { parseArgs } from "node:util"
import { loadWith, readSecrets } from "./Config.ts"
import * as Node from "./Node.ts"

const levels = { trace: "Trace", debug: "Debug", info: "Info", warn: "Warn", error: "Error" } as const

const ready = Layer.effectDiscard(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    yield* Effect.logInfo("Ready").pipe(Effect.annotateLogs({ url: HttpServer.formatAddress(address) }))
  })
)

/** What a supervisor tells: that home and Postgres are in its hands, and where the secrets come from. */
const { values } = parseArgs({
  options: { supervised: { type: "boolean", default: false }, "secrets-fd": { type: "string" } }
})
const secretsFd = values["secrets-fd"]

const main = Effect.gen(function* () {
  const config = yield* loadWith(secretsFd === undefined ? {} : yield* readSecrets(Number(secretsFd)))
  const { supervised } = values
  return yield* Layer.launch(Layer.provide(ready, Node.layer(config, { supervised }))).pipe(
    Effect.provideService(References.MinimumLogLevel, levels[config.log])
  )
})

NodeRuntime.runMain(main)
