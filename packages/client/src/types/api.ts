import type * as Access from "@troupe/domain/api/Access"
import type * as Agents from "@troupe/domain/api/Agents"
import type * as Environments from "@troupe/domain/api/Environments"
import type * as EnvironmentWork from "@troupe/domain/api/Work"
import type * as Fleets from "@troupe/domain/api/Fleet"
import type * as Files from "@troupe/domain/api/Files"
import type * as Search from "@troupe/domain/api/Search"
import type * as SessionResources from "@troupe/domain/api/SessionResources"
import type * as Inbox from "@troupe/domain/api/Inbox"
import type * as McpAuthorizations from "@troupe/domain/api/McpAuthorizations"
import type * as McpProbes from "@troupe/domain/api/McpProbes"
import type * as McpServers from "@troupe/domain/api/McpServers"
import type * as ModelCards from "@troupe/domain/api/ModelCards"
import type * as Places from "@troupe/domain/api/Places"
import type * as Policies from "@troupe/domain/api/Policies"
import type * as Projects from "@troupe/domain/api/Projects"
import type * as Redactions from "@troupe/domain/api/Redactions"
import type * as Replay from "@troupe/domain/api/Replay"
import type * as Sessions from "@troupe/domain/api/Sessions"
import type * as Settings from "@troupe/domain/api/Settings"
import type * as Turns from "@troupe/domain/api/Turns"
import type * as Uploads from "@troupe/domain/api/Uploads"
import type * as UsageReport from "@troupe/domain/api/UsageReport"
import type * as Tokens from "@troupe/domain/api/Workspace"
import type { Answered, Body, Query, Plain } from "./wire.ts"

export type { ErrorType } from "@troupe/domain/api/ApiError"

export type Agent = Plain<Agents.Agent>
export type AgentCreate = Body<typeof Agents.create>
export type AgentUpdate = Body<typeof Agents.update>
export type AgentListQuery = Query<typeof Agents.list>
export type AgentRetrieveQuery = Query<typeof Agents.retrieve>
export type AgentVersionsQuery = Query<typeof Agents.versions>

export type Environment = Plain<Environments.Environment>
export type EnvironmentCreate = Body<typeof Environments.create>
export type EnvironmentUpdate = Body<typeof Environments.update>
export type EnvironmentListQuery = Query<typeof Environments.list>
export type EnvironmentDeleted = Answered<typeof Environments.remove>
export type Work = Plain<EnvironmentWork.Work>
export type WorkHeartbeat = Answered<typeof EnvironmentWork.heartbeat>
export type WorkStats = Answered<typeof EnvironmentWork.stats>
export type WorkPollQuery = Query<typeof EnvironmentWork.poll>
export type WorkHeartbeatQuery = Query<typeof EnvironmentWork.heartbeat>
export type WorkListQuery = Query<typeof EnvironmentWork.list>

export type Session = Plain<Sessions.Session>
export type SessionAgent = Plain<Sessions.SessionAgent>
export type SessionCreate = Body<typeof Sessions.create>
export type SessionUpdate = Body<typeof Sessions.update>
export type SessionListQuery = Query<typeof Sessions.list>
export type SessionDeleted = Answered<typeof Sessions.remove>
export type SessionStatus = Session["status"]
export type SessionThread = Plain<Sessions.Thread>
export type ThreadListQuery = Query<typeof Sessions.threads>

export type Fleet = Plain<Fleets.Fleet>
export type File = Plain<Files.File>
export type FileListQuery = Query<typeof Files.list>
export type FileDeleted = Answered<typeof Files.remove>
export type Upload = Plain<Uploads.Upload>
export type UploadCreate = Body<typeof Uploads.create>
export type FileResource = Plain<SessionResources.FileResource>
export type SessionResource = Answered<typeof SessionResources.retrieve>
export type SessionResourceUpdate = Body<typeof SessionResources.update>
export type SessionResourceDeleted = Answered<typeof SessionResources.remove>
export type ResourceListQuery = Query<typeof SessionResources.list>

export type Turn = Plain<Turns.Turn>
export type TurnQueue = Plain<Turns.TurnQueue>
export type TurnOverrides = Plain<Turns.Overrides>
export type TurnPage = Answered<typeof Turns.list>
export type TurnListQuery = Query<typeof Turns.list>
export type TurnEdit = Body<typeof Turns.edit>
export type TurnMove = Body<typeof Turns.move>
export type TurnSeen = Body<typeof Turns.steer>

export type SessionStateAt = Plain<Replay.SessionStateAt>
export type StateQuery = Query<typeof Replay.state>
export type SessionDiff = Plain<Replay.SessionDiff>
export type DiffQuery = Query<typeof Replay.diff>
export type SessionModelRequest = Plain<Replay.SessionModelRequest>
export type SessionCause = Plain<Replay.SessionCause>
export type SessionVerification = Plain<Replay.SessionVerification>
export type VerifyQuery = Query<typeof Replay.verify>
export type OutputQuery = Query<typeof Replay.output>
export type SessionFork = Body<typeof Replay.fork>
export type SessionRedact = Body<typeof Redactions.redact>
export type SessionRedaction = Plain<Redactions.SessionRedaction>

export type Approval = Plain<Inbox.Approval>
export type ApprovalListQuery = Query<typeof Inbox.approvals>
export type ApprovalAnswer = Plain<Inbox.ApprovalAnswer>
export type Question = Plain<Inbox.Question>
export type QuestionListQuery = Query<typeof Inbox.questions>
export type InboxAnswered = Plain<Inbox.Answered>
export type SessionInboxQuery = Query<typeof Inbox.sessionApprovals>

export type Exec = Plain<Places.ExecIn>
export type ExecResult = Answered<typeof Places.exec>
export type ExecEnding = Plain<Places.ExecEnding>
export type TerminalQuery = Query<typeof Places.terminal>
export type FileEntry = Plain<Places.FileEntry>
export type FileEntryListQuery = Query<typeof Places.listFiles>
export type FileEntryDeleted = Answered<typeof Places.deleteFile>
export type SessionChanges = Answered<typeof Places.changes>
export type ChangesQuery = Query<typeof Places.changes>
export type HostDirectory = Answered<typeof Places.registerDirectory>
export type HostDirectoryListQuery = Query<typeof Places.browse>
export type HostDirectoryRegister = Body<typeof Places.registerDirectory>

export type Me = Plain<Access.Me>
export type ClientConfig = Plain<Access.ClientConfig>
export type Login = Body<typeof Access.login>
export type LoggedOut = Answered<typeof Access.logout>
export type LoginLink = Answered<typeof Access.createLoginLink>
export type LoginListQuery = Query<typeof Access.listLogins>
export type LoginRevoked = Answered<typeof Access.revokeLogin>
export type Workspace = Plain<Access.Workspace>
export type WorkspaceCreate = Body<typeof Access.createWorkspace>
export type WorkspaceListQuery = Query<typeof Access.listWorkspaces>

export type ModelCard = Plain<ModelCards.ModelCard>
export type ModelCardCreate = Body<typeof ModelCards.create>
export type ModelCardUpdate = Body<typeof ModelCards.update>
export type ModelCardListQuery = Query<typeof ModelCards.list>
export type ModelCardDeleted = Answered<typeof ModelCards.remove>
export type McpServer = Plain<McpServers.McpServer>
export type McpServerCreate = Body<typeof McpServers.create>
export type McpServerUpdate = Body<typeof McpServers.update>
export type McpServerListQuery = Query<typeof McpServers.list>
export type McpServerDeleted = Answered<typeof McpServers.remove>
export type McpProbe = Plain<McpProbes.McpProbe>
export type McpAuthorize = Body<typeof McpAuthorizations.authorize>
export type McpAuthorization = Plain<McpAuthorizations.McpAuthorization>
export type McpAuthorizationBegun = Plain<McpAuthorizations.McpAuthorizationBegun>
export type Project = Plain<Projects.Project>
export type ProjectCreate = Body<typeof Projects.create>
export type ProjectUpdate = Body<typeof Projects.update>
export type ProjectListQuery = Query<typeof Projects.list>
export type ProjectDeleted = Answered<typeof Projects.remove>

export type WorkspacePolicies = Plain<Policies.Policies>
export type PoliciesQuery = Query<typeof Policies.retrieve>
export type PoliciesUpdate = Body<typeof Policies.update>
export type PolicyVersionsQuery = Query<typeof Policies.versions>
export type PolicyPreset = Answered<typeof Policies.presets>["data"][number]
export type PolicyPresetListQuery = Query<typeof Policies.presets>
export type PolicyDryRun = Body<typeof Policies.dryRun>
export type PolicyVerdict = Plain<Policies.DryRunVerdict>
export type WorkspaceSettings = Plain<Settings.Settings>
export type WorkspaceSettingsUpdate = Body<typeof Settings.update>
export type UsageRow = Plain<UsageReport.UsageRow>
export type UsageQuery = Query<typeof UsageReport.query>
export type SearchHit = Plain<Search.SearchHit>
export type SearchQuery = Query<typeof Search.search>

export type TokenListQuery = Query<typeof Tokens.listTokens>
export type Token = Plain<Tokens.Token>
export type TokenCreate = Body<typeof Tokens.createToken>
export type TokenCreated = Answered<typeof Tokens.createToken>
export type TokenRevoked = Answered<typeof Tokens.revokeToken>
export type Runner = Plain<Tokens.Runner>
export type RunnerListQuery = Query<typeof Tokens.listRunners>
export type Model = Plain<Tokens.Model>
export type ModelListQuery = Query<typeof Tokens.listModels>
