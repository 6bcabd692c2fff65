import Anthropic from "@anthropic-ai/sdk"
import { type Context, Effect, Exit, Layer, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { NodeConfig } from "../../src/Config.ts"
import { AttemptDriver } from "../../src/session/AttemptDriver.ts"
import { apiKey } from "../support/apiKey.ts"
import type { Script, Step } from "../support/AttemptScript.ts"
import { prng } from "../../../../test/support/Prng.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { startNode, type TestNode } from "../support/TestNode.ts"

export const think = (deltas = 0, ms = 1): Step => ({ _tag: "Think", ms, deltas, tokens: 10 })
export const tool = (kind: Extract<Step, { readonly _tag: "Tool" }>["kind"]): Step => ({
  _tag: "Tool",
  kind,
  ms: 1,
  fails: false,
  expiresInMs: null
})
export const plays = (...steps: ReadonlyArray<Step>): Script => ({
  steps,
  end: { _tag: "Complete", stop: "end_turn" },
  deaf: false
})

export interface GatewayWorld {
  readonly database: TestDatabase["Service"]
  readonly node: TestNode
  readonly client: Anthropic
  readonly clientOf: (key: string) => Anthropic
  /** What the next attempts do, in their order; after these, each says one thing and is done. */
  readonly script: (...scripts: ReadonlyArray<Script>) => void
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** As if a node had gone before it could keep the answer to a request that came with this idempotency key. */
  readonly forget: (key: string) => Promise<void>
  readonly end: () => Promise<void>
}

/** A node with its gateway on a database of its own, and a runner that plays scripts. */
export const startGateway = async (
  config: Partial<NodeConfig> = {},
  references?: Context.Context<never>,
  Sdk: typeof Anthropic = Anthropic
): Promise<GatewayWorld> => {
  const scope = Scope.makeUnsafe()
  const inScope = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
    Effect.runPromise(Effect.provideService(effect, Scope.Scope, scope))
  const database = await inScope(TestDatabase.make())
  const waiting: Array<Script> = []
  const random = prng(7)
  const runner = await inScope(
    ScriptedRunner.make({
      random,
      runnerId: ScriptedRunner.drawRunnerId(random),
      script: () => waiting.shift() ?? plays(think())
    })
  )
  const node = await startNode(database, {}, Layer.succeed(AttemptDriver, runner.driver), config, references)
  const clientOf = (key: string) => new Sdk({ apiKey: key, baseURL: node.gateway, maxRetries: 0 })
  return {
    database,
    node,
    client: clientOf(apiKey),
    clientOf,
    script: (...scripts) => {
      waiting.splice(0, waiting.length, ...scripts)
    },
    fetch: (path, init = {}) =>
      fetch(`${node.gateway}${path}`, { ...init, headers: { "x-api-key": apiKey, ...init.headers } }),
    forget: (key) =>
      node.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`UPDATE idempotency_keys SET status = NULL, body = NULL WHERE key = ${key}`
        }).pipe(Effect.orDie)
      ),
    end: async () => {
      await node.end()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
}
