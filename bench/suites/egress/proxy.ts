import { Effect, Layer, Result } from "effect"
import { SandboxId, SessionId } from "@troupe/domain/Ids"
import { addressRules } from "@troupe/domain/network/AddressRules"
import { EgressProxy } from "@troupe/runner/egress/EgressProxy"
import { Interception } from "@troupe/runner/egress/Interception"
import { Outbound } from "@troupe/runner/egress/Outbound"
import { Resolver } from "@troupe/runner/egress/Resolver"
import { OwnServices } from "@troupe/runner/egress/OwnServices"
import { TrustStore } from "@troupe/runner/egress/TrustStore"
import { join } from "node:path"

/** The proxy as a runner has it, in a process of its own: `node proxy.ts DIRECTORY ENDPOINT`. */
const [directory = ".", endpoint = ""] = process.argv.slice(2)
const socketPath = join(directory, "egress.sock")

const layer = EgressProxy.layer().pipe(
  Layer.provide([
    Outbound.layer(Result.getOrThrow(addressRules({ alsoAllowed: [endpoint] })).alsoAllowed).pipe(
      Layer.provide([Resolver.layer(), OwnServices.layer()])
    ),
    TrustStore.layer(),
    Interception.layerNever
  ])
)

const program = Effect.gen(function* () {
  const proxy = yield* EgressProxy
  yield* proxy.open({
    sessionId: SessionId.make(`sesn_01${"1".repeat(22)}`),
    sandboxId: SandboxId.make(`sbx_01${"1".repeat(22)}`),
    socketPath,
    bundlePath: join(directory, "ca.pem"),
    policy: { type: "unrestricted" },
    mcpHosts: [],
    log: () => Effect.void
  })
  console.log(socketPath)
  return yield* Effect.never
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layer)))
