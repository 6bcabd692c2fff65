import type { Agent, AgentCreate, AgentUpdate } from "@troupe/domain/api/Agents"
import type { Environment } from "@troupe/domain/api/Environments"
import type { Answered, Approval, ApprovalAnswer, Question } from "@troupe/domain/api/Inbox"
import type { Session, SessionCreate } from "@troupe/domain/api/Sessions"
import type { UsageRow } from "@troupe/domain/api/UsageReport"
import type { Model, Runner, Token, TokenCreate } from "@troupe/domain/api/Workspace"
import type { Json } from "@troupe/domain/Json"
import { get, post, query, remove } from "./http.ts"

export type { Agent, Approval, ApprovalAnswer, Environment, Model, Question, Runner, Session, Token, UsageRow }

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
