import type { WorkspaceId } from "@troupe/domain/Ids"
import { system } from "@troupe/domain/Actor"
import { Limits } from "@troupe/domain/Limits"
import { Context, Effect, Exit, Layer, Option, Redacted, References, Scope } from "effect"
import * as HttpServer from "effect/http/HttpServer"
import { NodeAddress } from "../../src/cluster/Cluster.ts"
import type { NodeConfig } from "../../src/Config.ts"
import * as Node from "../../src/Node.ts"
import { LinkTimes } from "../../src/runners/LinkLife.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import type { AttemptDriver } from "../../src/session/AttemptDriver.ts"
import { apiKey } from "./apiKey.ts"
import type { TestDatabase } from "./TestDatabase.ts"

type NodeServices = Layer.Success<ReturnType<typeof Node.layer>>

/** A node in this process, on a database that others may share. */
export interface TestNode {
  readonly gateway: string
  readonly address: string
  readonly run: <A, E>(effect: Effect.Effect<A, E, NodeServices>) => Promise<A>
  readonly end: () => Promise<void>
}

export const startNode = async (
  database: TestDatabase["Service"],
  times: { readonly pingEveryMs?: number; readonly pongWithinMs?: number; readonly greetEveryMs?: number } = {},
  driver?: Layer.Layer<AttemptDriver>,
  config: Partial<NodeConfig> = {},
  references: Context.Context<never> = Context.empty()
): Promise<TestNode> => {
  const scope = Scope.makeUnsafe()
  const layer = Node.layer(
    {
      home: "/nonexistent",
      gateway: { host: "127.0.0.1", port: 0 },
      publicUrl: Option.none(),
      corsOrigins: [],
      requestsPerMinute: 0,
      consoleDirectory: "/nonexistent",
      apiKey: Option.some(Redacted.make(apiKey)),
      masterKey: Option.some(Redacted.make("a-master-key-of-tests-that-is-long-enough")),
      databaseUrl: Option.some(database.appUrl),
      databaseOwnerUrl: Option.some(database.ownerUrl),
      nodeAddress: { host: "127.0.0.1", port: 0 },
      runnerToken: Option.none(),
      contactLeaseMs: Limits.contactLeaseMs,
      commandBytesMax: Limits.commandBytesMax,
      keepDeletedMs: 86_400_000,
      egressAllow: [],
      policies: [],
      files: { store: Option.none(), bytesMax: 8 * 1_048_576 },
      tracing: null,
      log: "warn",
      ...config
    },
    driver === undefined ? {} : { driver }
  )
  const context = await Effect.runPromise(
    Layer.buildWithScope(layer, scope).pipe(
      Effect.provideService(LinkTimes, { pingEveryMs: 5_000, pongWithinMs: 10_000, greetEveryMs: 300_000, ...times }),
      Effect.provideContext(references),
      Effect.provideService(References.MinimumLogLevel, "Error")
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const node = Context.get(context, NodeAddress)
  return {
    gateway: HttpServer.formatAddress(address),
    address: `${node.host}:${node.port}`,
    run: (effect) => Effect.runPromise(Effect.provide(effect, context)),
    end: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

export interface Registered {
  readonly runnerId: string
  readonly workspaceId: string
  readonly credential: string
}

/** Registers a runner the way it does itself: with a registration token, over HTTP. */
export const register = async (
  node: TestNode,
  workspaceId: WorkspaceId,
  as: { readonly name: string; readonly labels?: ReadonlyArray<string> }
): Promise<Registered> => {
  const { secret } = await node.run(
    Effect.flatMap(Tokens, (tokens) =>
      tokens.create({ workspaceId, kind: "runner_registration", name: "test", labels: [] }, system)
    )
  )
  const response = await postRegistration(node.gateway, secret, as)
  const body = (await response.json()) as { runner_id: string; workspace_id: string; credential: string }
  return { runnerId: body.runner_id, workspaceId: body.workspace_id, credential: body.credential }
}

export const postRegistration = async (gateway: string, token: Redacted.Redacted | string, body: unknown) => {
  return await fetch(`${gateway}/v1/runners/register`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${typeof token === "string" ? token : Redacted.value(token)}`,
      "content-type": "application/json"
    },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })
}
