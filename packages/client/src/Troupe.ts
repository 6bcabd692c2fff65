import { Call } from "./http/Call.ts"
import { Transport } from "./http/Transport.ts"
import type { CallOptions, TroupeOptions } from "./options.ts"
import { Agents } from "./resources/Agents.ts"
import { Environments } from "./resources/Environments.ts"
import { Files } from "./resources/Files.ts"
import { Sessions } from "./resources/Sessions.ts"
import { Models, Runners, Tokens } from "./resources/Workspace.ts"
import { SessionHandle } from "./session/SessionHandle.ts"
import type { SessionCreate } from "./types/api.ts"

/** A client of one server. */
export class Troupe {
  readonly baseURL: string
  readonly agents: Agents
  readonly environments: Environments
  readonly sessions: Sessions
  readonly files: Files
  readonly tokens: Tokens
  readonly runners: Runners
  readonly models: Models
  readonly #transport: Transport

  constructor(options: TroupeOptions = {}) {
    const transport = new Transport(options)
    this.#transport = transport
    this.baseURL = transport.baseURL
    this.agents = new Agents(transport)
    this.environments = new Environments(transport)
    this.sessions = new Sessions(transport)
    this.files = new Files(transport)
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
