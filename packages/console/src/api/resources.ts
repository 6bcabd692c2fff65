import type { Agent, AgentCreate, AgentUpdate } from "@troupe/domain/api/Agents"
import type { Environment } from "@troupe/domain/api/Environments"
import type { Fleet, FleetNode } from "@troupe/domain/api/Fleet"
import type { Answered, Approval, ApprovalAnswer, Question } from "@troupe/domain/api/Inbox"
import type { Session, SessionCreate } from "@troupe/domain/api/Sessions"
import type { UsageRow } from "@troupe/domain/api/UsageReport"
import type { Model, Runner, Token, TokenCreate } from "@troupe/domain/api/Workspace"
import type { File as StoredFile } from "@troupe/domain/api/Files"
import type { ModelCard, ModelCardCreate } from "@troupe/domain/api/ModelCards"
import type { SessionVerification } from "@troupe/domain/api/Replay"
import type { SearchHit } from "@troupe/domain/api/Search"
import type { TurnQueue } from "@troupe/domain/api/Turns"
import type { TreeChange } from "@troupe/domain/runner/Checkpoint"
import type { Json } from "@troupe/domain/Json"
import { get, post, query, remove, send } from "./http.ts"

export type {
  Agent,
  Approval,
  ApprovalAnswer,
  Environment,
  Fleet,
  FleetNode,
  Model,
  ModelCard,
  Question,
  Runner,
  SearchHit,
  Session,
  SessionVerification,
  StoredFile,
  Token,
  TreeChange,
  UsageRow
}

/** Ids come from addresses and answers here: the server says whether they are any. */
type Loose<A> = A extends string
  ? string
  : A extends ReadonlyArray<infer B>
    ? ReadonlyArray<Loose<B>>
    : A extends object
      ? { [K in keyof A]: Loose<A[K]> }
      : A

export interface Page<A> {
  readonly data: ReadonlyArray<A>
  readonly next_page: string | null
}

export interface SessionFilter {
  readonly statuses?: ReadonlyArray<string>
  readonly agent?: string
  readonly archived?: boolean
}

const sessionQuery = ({ agent, archived, statuses }: SessionFilter) => ({
  "statuses[]": statuses,
  agent_id: agent,
  include_archived: archived === true ? "true" : undefined
})

export const listSessions = (filter: SessionFilter, page: string | null, limit: number, signal?: AbortSignal) =>
  get<Page<Session>>(`/v1/sessions${query({ ...sessionQuery(filter), page, limit })}`, signal)
export const getSession = (id: string) => get<Session>(`/v1/sessions/${id}`)
export const createSession = (body: Loose<SessionCreate>) => post<Session>("/v1/sessions", body)
export const updateSession = (id: string, body: { readonly title: string | null }) =>
  post<Session>(`/v1/sessions/${id}`, body)
export const archiveSession = (id: string) => post<Session>(`/v1/sessions/${id}/archive`, {})
export const deleteSession = (id: string) => remove<unknown>(`/v1/sessions/${id}`)
export const sendEvents = (id: string, events: ReadonlyArray<object>) =>
  post<unknown>(`/v1/sessions/${id}/events`, { events })

/** All of a list that is short by its nature. */
const all = async <A>(path: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<ReadonlyArray<A>> => {
  const found: Array<A> = []
  let page: string | null = null
  do {
    const { data, next_page }: Page<A> = await get<Page<A>>(`${path}${query({ ...parameters, limit: 100, page })}`)
    found.push(...data)
    page = next_page
  } while (page !== null)
  return found
}

export const listAgents = () => all<Agent>("/v1/agents")
export const getAgent = (id: string) => get<Agent>(`/v1/agents/${id}`)
export const agentVersions = (id: string) => all<Agent>(`/v1/agents/${id}/versions`)
export const createAgent = (body: Loose<AgentCreate>) => post<Agent>("/v1/agents", body)
export const updateAgent = (id: string, body: Loose<AgentUpdate>) => post<Agent>(`/v1/agents/${id}`, body)
export const archiveAgent = (id: string) => post<Agent>(`/v1/agents/${id}/archive`, {})
export const listEnvironments = () => all<Environment>("/v1/environments")
export const createEnvironment = (body: object) => post<Environment>("/v1/environments", body)
export const listRunners = async () => (await get<Page<Runner>>("/v1/runners")).data
export const listModels = async () => (await get<{ readonly data: ReadonlyArray<Model> }>("/v1/models")).data
export const retrieveFleet = () => get<Fleet>("/v1/fleet")
export const listTokens = async () => (await get<Page<Token>>("/v1/tokens")).data
export const createToken = (body: Loose<TokenCreate>) => post<Token & { readonly secret: string }>("/v1/tokens", body)
export const revokeToken = (id: string) => remove<unknown>(`/v1/tokens/${id}`)

const newestFirst = { order: "desc", limit: 100 }
export const listApprovals = (signal?: AbortSignal) => get<Page<Approval>>(`/v1/approvals${query(newestFirst)}`, signal)
export const listQuestions = (signal?: AbortSignal) => get<Page<Question>>(`/v1/questions${query(newestFirst)}`, signal)
export const answerApproval = (session: string, call: string, body: ApprovalAnswer) =>
  post<Answered>(`/v1/sessions/${session}/approvals/${call}`, body)
export const answerQuestion = (session: string, call: string, answer: Json) =>
  post<Answered>(`/v1/sessions/${session}/questions/${call}`, { answer })

export interface UsageQuery {
  readonly from: string
  readonly to: string
  readonly by: ReadonlyArray<"day" | "model" | "agent" | "session">
}
export const queryUsage = ({ by, from, to }: UsageQuery) => all<UsageRow>("/v1/usage", { from, to, "group_by[]": by })

const turn = (session: string, id: string, action: string) => `/v1/sessions/${session}/turns/${id}${action}`
export const editTurn = (session: string, id: string, words: string) =>
  post<TurnQueue>(turn(session, id, ""), { content: [{ type: "text", text: words }] })
export const moveTurn = (session: string, id: string, before: string | null) =>
  post<TurnQueue>(turn(session, id, "/move"), { before })
export const withdrawTurn = (session: string, id: string) => post<TurnQueue>(turn(session, id, "/withdraw"), {})
export const steerTurn = (session: string, id: string) => post<TurnQueue>(turn(session, id, "/steer"), {})
export const approveTurn = (session: string, id: string) => post<TurnQueue>(turn(session, id, "/approve"), {})
export const listQueues = async (session: string) =>
  (await get<{ readonly queues: ReadonlyArray<TurnQueue> }>(`/v1/sessions/${session}/turns${query({ limit: 1 })}`))
    .queues

/** Another session that goes on from a place of this one; from its end where none is said. */
export const forkSession = (session: string, seq: number | null) =>
  post<Session>(`/v1/sessions/${session}/fork`, seq === null ? {} : { seq })
export const verifySession = (session: string) =>
  get<SessionVerification>(`/v1/sessions/${session}/verify${query({ level: 1 })}`)

export const searchSessions = (q: string, archived: boolean, page: string | null, signal?: AbortSignal) =>
  get<Page<SearchHit>>(`/v1/search${query({ q, page, include_archived: archived ? "true" : undefined })}`, signal)

export const uploadFile = async (file: Blob, name: string): Promise<StoredFile> => {
  const form = new FormData()
  form.append("file", file, name)
  return (await (await send("/v1/files", { method: "POST", form })).json()) as StoredFile
}
export const listSessionFiles = (session: string) => all<StoredFile>("/v1/files", { scope_id: session })
export const listChanges = (session: string) =>
  get<{ readonly data: ReadonlyArray<TreeChange>; readonly truncated: boolean }>(`/v1/sessions/${session}/changes`)

export const listModelCards = () => all<ModelCard>("/v1/model_cards")
export const createModelCard = (body: Loose<ModelCardCreate>) => post<ModelCard>("/v1/model_cards", body)
export const probeModelCard = (id: string) => post<ModelCard>(`/v1/model_cards/${id}/probe`, {})
export const deleteModelCard = (id: string) => remove<unknown>(`/v1/model_cards/${id}`)
