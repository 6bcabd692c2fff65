import { Schema } from "effect"
import { AgentId, EnvironmentId, FileId, McpServerId, ModelCardId, ProjectId, RunnerId, TokenId } from "../Ids.ts"
import { Sha256Hex } from "../log/Envelope.ts"
import { JsonObject } from "../Json.ts"
import { make, type EventCodec, type Shapes } from "../log/EventCodec.ts"
import { WorkspaceSettings } from "./WorkspaceSettings.ts"

/** Of a definition there is the digest: it may be long, and what is in it is the client's. */
const defined = { name: Schema.String, digest: Sha256Hex }
const labels = { labels: Schema.Array(Schema.String) }

/** What happens to a workspace's configuration: its audit trail. Secrets are in none of it. */
export const WorkspaceEvent = Schema.TaggedUnion({
  WorkspaceCreated: { name: Schema.String },
  TokenCreated: {
    tokenId: TokenId,
    kind: Schema.String,
    name: Schema.String,
    hint: Schema.String,
    ...labels,
    scopes: Schema.Array(Schema.String),
    /** The token that it was given for. */
    parentId: Schema.NullOr(TokenId),
    expiresAt: Schema.NullOr(Schema.Int),
    /** What it is for, where that is not its whole workspace. */
    bound: Schema.optionalKey(JsonObject)
  },
  TokenRevoked: { tokenId: TokenId, kind: Schema.String },
  RunnerRegistered: { runnerId: RunnerId, tokenId: TokenId, name: Schema.String, ...labels },
  /** It takes nothing more until it is told that it may. */
  RunnerDrained: { runnerId: RunnerId },
  RunnerUndrained: { runnerId: RunnerId },
  SettingsChanged: { settings: WorkspaceSettings },
  /** Today's soft limits hold nobody any more. */
  DayLimitsPassed: { day: Schema.String },
  AgentCreated: { agentId: AgentId, version: Schema.Int, ...defined },
  AgentUpdated: { agentId: AgentId, version: Schema.Int, ...defined },
  AgentArchived: { agentId: AgentId },
  EnvironmentCreated: { environmentId: EnvironmentId, ...defined },
  EnvironmentUpdated: { environmentId: EnvironmentId, ...defined },
  EnvironmentArchived: { environmentId: EnvironmentId },
  EnvironmentDeleted: { environmentId: EnvironmentId },
  /** Sessions that name none have this one from now on. */
  EnvironmentMadeUsual: { environmentId: EnvironmentId },
  /** Digests are of what may be shown: of keys and headers there is only whether they changed. */
  ModelCardCreated: { cardId: ModelCardId, ...defined },
  ModelCardUpdated: { cardId: ModelCardId, ...defined, secretChanged: Schema.Boolean },
  ModelCardDeleted: { cardId: ModelCardId },
  McpServerCreated: { serverId: McpServerId, ...defined },
  McpServerUpdated: { serverId: McpServerId, ...defined, secretChanged: Schema.Boolean },
  McpServerDeleted: { serverId: McpServerId },
  /** Somebody logged in, or the workspace's own client was let in. The issuer is the authorization server. */
  McpServerAuthorized: {
    serverId: McpServerId,
    grant: Schema.String,
    issuer: Schema.String,
    scope: Schema.NullOr(Schema.String)
  },
  /** Forgotten by somebody, or refused by the authorization server. */
  McpServerAuthorizationEnded: { serverId: McpServerId, reason: Schema.Literals(["forgotten", "refused"]) },
  ProjectCreated: { projectId: ProjectId, ...defined },
  ProjectUpdated: { projectId: ProjectId, ...defined },
  ProjectArchived: { projectId: ProjectId },
  ProjectDeleted: { projectId: ProjectId },
  /** Of what clients upload; what agents make is in their sessions' logs. */
  FileUploaded: { fileId: FileId, sha256: Sha256Hex, bytes: Schema.Int, expiresAt: Schema.NullOr(Schema.Int) },
  FileDeleted: { fileId: FileId }
})
export type WorkspaceEvent = typeof WorkspaceEvent.Type

const shapes = Object.fromEntries(
  Object.entries(WorkspaceEvent.cases).map(([tag, newest]) => [tag, [newest]])
) as unknown as { readonly [Tag in WorkspaceEvent["_tag"]]: Shapes<Extract<WorkspaceEvent, { readonly _tag: Tag }>> }

export const codec: EventCodec<WorkspaceEvent> = make<WorkspaceEvent>(shapes)
