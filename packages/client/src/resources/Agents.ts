import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  Agent,
  AgentCreate,
  AgentListQuery,
  AgentRetrieveQuery,
  AgentUpdate,
  AgentVersionsQuery
} from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** What an agent was at each of its versions. */
class AgentVersions extends Resource {
  list(agentId: string, query?: AgentVersionsQuery, options?: CallOptions): Pages<Agent> {
    return list(this.transport, path`/v1/agents/${agentId}/versions`, query, options)
  }

  retrieve(agentId: string, version: number, options?: CallOptions): Call<Agent> {
    return this.get(path`/v1/agents/${agentId}/versions/${version}`, {}, options)
  }
}

/** Who does the work: a model with instructions and tools. */
export class Agents extends Resource {
  readonly versions = new AgentVersions(this.transport)

  create(body: AgentCreate, options?: CallOptions): Call<Agent> {
    return this.post("/v1/agents", body, options)
  }

  list(query?: AgentListQuery, options?: CallOptions): Pages<Agent> {
    return list(this.transport, "/v1/agents", query, options)
  }

  retrieve(agentId: string, query?: AgentRetrieveQuery, options?: CallOptions): Call<Agent> {
    return this.get(path`/v1/agents/${agentId}`, query, options)
  }

  /** Makes a new version. With `version`, only if that is still the newest one. */
  update(agentId: string, body: AgentUpdate, options?: CallOptions): Call<Agent> {
    return this.post(path`/v1/agents/${agentId}`, body, options)
  }

  archive(agentId: string, options?: CallOptions): Call<Agent> {
    return this.post(path`/v1/agents/${agentId}/archive`, undefined, options)
  }
}
