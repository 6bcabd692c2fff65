import { Api } from "@troupe/domain/api/Api"
import { Effect, Layer, Option } from "effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Bounds } from "../access/Bounds.ts"
import { type RateLimitOptions, RateLimits } from "../access/RateLimits.ts"
import * as AccessRoutes from "../access/routes.ts"
import { Logins } from "../access/Logins.ts"
import * as Sweeping from "../access/Sweeping.ts"
import type { NodeConfig } from "../Config.ts"
import { Agents } from "../agents/Agents.ts"
import * as AgentRoutes from "../agents/routes.ts"
import { Environments } from "../environments/Environments.ts"
import * as EnvironmentRoutes from "../environments/routes.ts"
import * as EventRoutes from "../events/routes.ts"
import * as FeedRoutes from "../feed/routes.ts"
import * as Metrics from "../fleet/metrics.ts"
import * as FleetRoutes from "../fleet/routes.ts"
import { WorkspaceFeed } from "../feed/WorkspaceFeed.ts"
import { Inbox } from "../inbox/Inbox.ts"
import * as InboxRoutes from "../inbox/routes.ts"
import * as RedactionRoutes from "../redactions/routes.ts"
import { Folds } from "../replay/Folds.ts"
import * as ReplayRoutes from "../replay/routes.ts"
import * as FileRoutes from "../files/routes.ts"
import { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { McpServers } from "../mcpservers/McpServers.ts"
import { McpAuthorizations } from "../mcpservers/oauth/McpAuthorizations.ts"
import { McpLogins } from "../mcpservers/oauth/McpLogins.ts"
import * as McpAuthorizationRoutes from "../mcpservers/oauth/routes.ts"
import * as McpServerRoutes from "../mcpservers/routes.ts"
import { ModelCards } from "../modelcards/ModelCards.ts"
import * as ModelCardRoutes from "../modelcards/routes.ts"
import * as PolicyRoutes from "../policies/routes.ts"
import { Projects } from "../projects/Projects.ts"
import * as ProjectRoutes from "../projects/routes.ts"
import * as RpcRoutes from "../rpc/routes.ts"
import { SessionLog } from "../runners/SessionLog.ts"
import * as SearchRoutes from "../search/routes.ts"
import { Search } from "../search/Search.ts"
import * as PlaceRoutes from "../places/routes.ts"
import * as ResourceRoutes from "../sessions/resources.ts"
import * as SessionRoutes from "../sessions/routes.ts"
import { LoggedEvents } from "../sessions/LoggedEvents.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import * as SettingsRoutes from "../settings/routes.ts"
import * as UsageRoutes from "../usage/routes.ts"
import * as TurnRoutes from "../turns/routes.ts"
import { pages } from "../pages/pages.ts"
import * as WorkRoutes from "../work/routes.ts"
import { WorkQueue } from "../work/WorkQueue.ts"
import * as WorkSweep from "../work/WorkSweep.ts"
import * as WorkspaceRoutes from "../workspace/routes.ts"
import { Callers } from "./Callers.ts"
import * as Door from "./Door.ts"
import { Idempotency } from "./Idempotency.ts"

/** What the API's routes work with. */
export const services = (limits: RateLimitOptions) =>
  Layer.mergeAll(
    Bounds.layer,
    RateLimits.layer(limits),
    Sweeping.layer,
    Agents.layer,
    Environments.layer,
    WorkSweep.layer.pipe(Layer.provideMerge(WorkQueue.layer)),
    LoggedEvents.layer,
    SessionReads.layer,
    SessionLog.layer,
    ModelCards.layer,
    McpAuthorizations.layer.pipe(Layer.provide(McpLogins.layer), Layer.provideMerge(McpServers.layer)),
    Projects.layer,
    Search.layer,
    Folds.layer,
    Inbox.layer,
    WorkspaceFeed.layer,
    Callers.layer,
    Logins.layer,
    Idempotency.layer
  ).pipe(Layer.provide(WorkspaceLog.layer))

/** One resource has one address: whoever guards paths in front of this server must not be got round by another spelling. */
export const exactPaths = { caseSensitive: true, ignoreDuplicateSlashes: false, ignoreTrailingSlash: false } as const

const described = Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(Api)))

export const routes = (config: NodeConfig) => {
  const secure = Option.exists(config.publicUrl, (url) => url.startsWith("https:"))
  const origin = Option.getOrNull(Option.map(config.publicUrl, (url) => new URL(url).origin))
  return Layer.mergeAll(
    Door.layer({
      host: config.gateway.host,
      publicUrl: config.publicUrl,
      corsOrigins: config.corsOrigins,
      page: pages(config.consoleDirectory)
    }),
    AccessRoutes.routes({ secure, origin, consoleDirectory: config.consoleDirectory }),
    AgentRoutes.routes,
    EnvironmentRoutes.routes,
    WorkRoutes.routes,
    SessionRoutes.routes,
    ResourceRoutes.routes,
    EventRoutes.routes,
    TurnRoutes.routes,
    ReplayRoutes.routes,
    RedactionRoutes.routes,
    InboxRoutes.routes,
    FeedRoutes.routes,
    RpcRoutes.routes,
    PlaceRoutes.routes,
    FileRoutes.routes(origin),
    WorkspaceRoutes.routes,
    ModelCardRoutes.routes,
    McpServerRoutes.routes,
    McpAuthorizationRoutes.routes(origin),
    ProjectRoutes.routes,
    PolicyRoutes.routes,
    SettingsRoutes.routes,
    UsageRoutes.routes,
    SearchRoutes.routes,
    FleetRoutes.routes,
    Metrics.routes,
    HttpRouter.add("GET", "/openapi.json", described)
  )
}
