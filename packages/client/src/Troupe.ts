import { Call } from "./http/Call.ts"
import { Transport } from "./http/Transport.ts"
import type { CallOptions, TroupeOptions } from "./options.ts"
import { Access, Workspaces } from "./resources/Access.ts"
import { Agents } from "./resources/Agents.ts"
import { Environments } from "./resources/Environments.ts"
import { Feed } from "./resources/Feed.ts"
import { Files } from "./resources/Files.ts"
import { Uploads } from "./resources/Uploads.ts"
import { Approvals, Questions } from "./resources/Inbox.ts"
import { McpServers } from "./resources/McpServers.ts"
import { ModelCards } from "./resources/ModelCards.ts"
import { Projects } from "./resources/Projects.ts"
import { Sessions } from "./resources/Sessions.ts"
import { Fleet, Models, Runners, Tokens, Usage } from "./resources/Workspace.ts"
import { Policies, Settings } from "./resources/WorkspaceRules.ts"
import { SessionHandle } from "./session/SessionHandle.ts"
import type { SessionCreate } from "./types/api.ts"

/** A client of one server. */
export class Troupe {
  readonly baseURL: string
  readonly access: Access
  readonly agents: Agents
  readonly approvals: Approvals
  readonly environments: Environments
  readonly sessions: Sessions
  readonly feed: Feed
  readonly files: Files
  readonly uploads: Uploads
  readonly fleet: Fleet
  readonly questions: Questions
  readonly tokens: Tokens
  readonly runners: Runners
  readonly models: Models
  readonly mcpServers: McpServers
  readonly modelCards: ModelCards
  readonly policies: Policies
  readonly projects: Projects
  readonly settings: Settings
  readonly usage: Usage
  readonly workspaces: Workspaces
  readonly #transport: Transport

  constructor(options: TroupeOptions = {}) {
    const transport = new Transport(options)
    this.#transport = transport
    this.baseURL = transport.baseURL
    this.access = new Access(transport)
    this.approvals = new Approvals(transport)
    this.questions = new Questions(transport)
    this.mcpServers = new McpServers(transport)
    this.modelCards = new ModelCards(transport)
    this.policies = new Policies(transport)
    this.projects = new Projects(transport)
    this.settings = new Settings(transport)
    this.usage = new Usage(transport)
    this.workspaces = new Workspaces(transport)
    this.agents = new Agents(transport)
    this.environments = new Environments(transport)
    this.sessions = new Sessions(transport)
    this.feed = new Feed(transport)
    this.files = new Files(transport)
    this.uploads = new Uploads(transport)
    this.fleet = new Fleet(transport)
    this.tokens = new Tokens(transport)
    this.runners = new Runners(transport)
    this.models = new Models(transport)
  }

  /** A session that is there already. Nothing is asked of the server. */
  session(sessionId: string): SessionHandle {
    return new SessionHandle(this.#transport, sessionId)
  }

  /** Opens a session. */
  open(body: SessionCreate, options?: CallOptions): Call<SessionHandle> {
    return this.sessions.create(body, options).map(({ id }) => this.session(id))
  }
}
