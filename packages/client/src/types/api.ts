import type * as Agents from "@troupe/domain/api/Agents"
import type * as Environments from "@troupe/domain/api/Environments"
import type * as Files from "@troupe/domain/api/Files"
import type * as SessionResources from "@troupe/domain/api/SessionResources"
import type * as Sessions from "@troupe/domain/api/Sessions"
import type * as Workspace from "@troupe/domain/api/Workspace"
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

export type Token = Plain<Workspace.Token>
export type TokenCreate = Body<typeof Workspace.createToken>
export type TokenCreated = Answered<typeof Workspace.createToken>
export type TokenRevoked = Answered<typeof Workspace.revokeToken>
export type Runner = Plain<Workspace.Runner>
export type Model = Plain<Workspace.Model>
export type ModelListQuery = Query<typeof Workspace.listModels>
