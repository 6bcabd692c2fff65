import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { system } from "@troupe/domain/Actor"
import { Effect, Layer, Option, Redacted } from "effect"
import * as BudgetedDriver from "../usage/BudgetedDriver.ts"
import * as BlobStorePg from "../log/BlobStorePg.ts"
import { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { McpTokens } from "../mcpservers/oauth/McpTokens.ts"
import * as StoredSecrets from "../secrets/StoredSecrets.ts"
import { Workspaces } from "../workspace/Workspaces.ts"
import { AskJournal } from "./AskJournal.ts"
import { Asking } from "./Asking.ts"
import { Assignments } from "./Assignments.ts"
import { DeletedPlaces } from "./DeletedPlaces.ts"
import * as BlobRoutes from "./BlobRoutes.ts"
import * as FileRoutes from "./FileRoutes.ts"
import * as LinkKeeper from "./LinkKeeper.ts"
import { Placements } from "./Placements.ts"
import { Reach } from "./Reach.ts"
import * as RegisterRoute from "./RegisterRoute.ts"
import { Relays } from "./Relays.ts"
import * as RunnerConnect from "./RunnerConnect.ts"
import * as RunnerDriver from "./RunnerDriver.ts"
import { RunnerLinks } from "./RunnerLinks.ts"
import { RunnerRegistry } from "./RunnerRegistry.ts"
import { RunRequests } from "./RunRequests.ts"
import { SessionLog } from "./SessionLog.ts"
import { Tickets } from "./Tickets.ts"
import { Tokens } from "./Tokens.ts"
import { ToolHost } from "./ToolHost.ts"
import { Verdicts } from "./Verdicts.ts"
import { Workplaces } from "./Workplaces.ts"

/** Who there is, and the links that this node holds: what its door for other nodes needs too. */
export const registry = Layer.mergeAll(RunnerRegistry.layer, Workspaces.layer, Tickets.layer).pipe(
  Layer.provideMerge(Tokens.layer),
  Layer.provide(WorkspaceLog.layer),
  Layer.merge(RunnerLinks.layer)
)

/** The way to each runner, what may be told to it, and what is made anew of that. */
export const reach = Layer.merge(Reach.layer, StoredSecrets.layer.pipe(Layer.provideMerge(McpTokens.layer))).pipe(
  Layer.provide(WorkspaceLog.layer),
  Layer.provide(Relays.layer),
  Layer.provide(NodeSocket.layerWebSocketConstructor)
)

/** How turns get done: by the runners that have dialled in. */
export const driver = BudgetedDriver.layer(
  RunnerDriver.layer.pipe(Layer.provide([Placements.layer, RunRequests.layer]))
).pipe(Layer.provide(SessionLog.layer))

/** What runners need of a node, once its sessions can be asked. */
export const service = Layer.mergeAll(
  Verdicts.layer,
  DeletedPlaces.layer,
  Asking.layer,
  Workplaces.layer,
  LinkKeeper.layer
).pipe(
  Layer.provide([AskJournal.layer, ToolHost.layerEmpty]),
  Layer.provideMerge(Layer.merge(BlobStorePg.layer, Assignments.layer))
)

export const routes = Layer.mergeAll(RegisterRoute.routes, RunnerConnect.routes, BlobRoutes.routes, FileRoutes.routes)

/**
 * The first workspace, and in it the registration token that the node was told: whoever starts a node and a runner
 * together gives both the same.
 */
export const bootstrap = (token: Option.Option<Redacted.Redacted>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const tokens = yield* Tokens
      const workspaceId = yield* workspaces.first
      if (Option.isNone(token)) return
      yield* tokens.ensure(
        { workspaceId, kind: "runner_registration", name: "start", labels: [], secret: token.value },
        system
      )
    })
  )
