import type * as Access from "@troupe/domain/api/Access"
import type * as Agents from "@troupe/domain/api/Agents"
import type * as Environments from "@troupe/domain/api/Environments"
import type * as Files from "@troupe/domain/api/Files"
import type * as SessionResources from "@troupe/domain/api/SessionResources"
import type * as Inbox from "@troupe/domain/api/Inbox"
import type * as Places from "@troupe/domain/api/Places"
import type * as Replay from "@troupe/domain/api/Replay"
import type * as Sessions from "@troupe/domain/api/Sessions"
import type * as Turns from "@troupe/domain/api/Turns"
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

export type Session = Plain<Sessions.Session>
export type SessionAgent = Plain<Sessions.SessionAgent>
export type SessionCreate = Body<typeof Sessions.create>
export type SessionUpdate = Body<typeof Sessions.update>
export type SessionListQuery = Query<typeof Sessions.list>
export type SessionDeleted = Answered<typeof Sessions.remove>
export type SessionStatus = Session["status"]
export type SessionThread = Plain<Sessions.Thread>
export type ThreadListQuery = Query<typeof Sessions.threads>

export type File = Plain<Files.File>
export type FileListQuery = Query<typeof Files.list>
export type FileDeleted = Answered<typeof Files.remove>
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
export type SessionCause = Plain<Replay.SessionCause>
export type SessionVerification = Plain<Replay.SessionVerification>
export type VerifyQuery = Query<typeof Replay.verify>
export type OutputQuery = Query<typeof Replay.output>
export type SessionFork = Body<typeof Replay.fork>

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
export type HostDirectoryRegister = Body<typeof Places.registerDirectory>

export type Me = Plain<Access.Me>
export type ClientConfig = Plain<Access.ClientConfig>
export type Login = Body<typeof Access.login>
export type LoggedOut = Answered<typeof Access.logout>
export type LoginLink = Answered<typeof Access.createLoginLink>
export type LoginRevoked = Answered<typeof Access.revokeLogin>
export type Workspace = Plain<Access.Workspace>
export type WorkspaceCreate = Body<typeof Access.createWorkspace>
export type WorkspaceListQuery = Query<typeof Access.listWorkspaces>

export type TokenListQuery = Query<typeof Tokens.listTokens>
export type Token = Plain<Tokens.Token>
export type TokenCreate = Body<typeof Tokens.createToken>
export type TokenCreated = Answered<typeof Tokens.createToken>
export type TokenRevoked = Answered<typeof Tokens.revokeToken>
export type Runner = Plain<Tokens.Runner>
export type Model = Plain<Tokens.Model>
export type ModelListQuery = Query<typeof Tokens.listModels>
