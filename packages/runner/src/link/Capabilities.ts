import type { Abilities } from "@troupe/domain/runner/Hello"
import type { McpProbed } from "@troupe/domain/runner/McpProbed"
import { Context, type Effect, type Redacted } from "effect"
import type { ProbedServer } from "../mcp/probeMcpServer.ts"
import type { ModelProbe } from "../models/ModelClient.ts"

/** What this runner can do, found out by trying. Probed again for each greeting. */
export class Capabilities extends Context.Service<
  Capabilities,
  {
    readonly probe: Effect.Effect<Abilities>
    /** Tries to reach the model of a card. */
    readonly probeCard: (card: Redacted.Redacted) => Effect.Effect<ModelProbe>
    /** Asks an MCP server what it has. */
    readonly probeMcpServer: (probed: ProbedServer) => Effect.Effect<McpProbed>
  }
>()("runner/Capabilities") {}
