import { ApiError } from "../errors.ts"
import type { Call } from "../http/Call.ts"
import { path } from "../http/url.ts"
import type { CallOptions, StreamOptions } from "../options.ts"
import { type ExecOutput, execOutput } from "../stream/execOutput.ts"
import type { ChangesQuery, Exec, ExecResult, SessionChanges, TerminalQuery } from "../types/api.ts"
import { Resource } from "./Resource.ts"

/** Answered to a request that is no WebSocket, where one would be let in. */
const upgradeRequired = 426

/** Where a session works, for people to work there too. */
export class SessionPlace extends Resource {
  /** Runs a program to its end. It is not sent again by itself: a program whose answer was lost may have run. */
  exec(sessionId: string, body: Exec, options?: CallOptions): Call<ExecResult> {
    const timeout = (body.timeout_ms ?? 120_000) + 30_000
    return this.post(path`/v1/sessions/${sessionId}/exec`, body, { timeout, maxRetries: 0, ...options })
  }

  /** Runs a program, and brings what it prints as it does. It begins when this is iterated over. */
  execStream(sessionId: string, body: Exec, options?: StreamOptions): AsyncGenerator<ExecOutput, void, undefined> {
    return execOutput(this.transport, sessionId, body, options)
  }

  /** A terminal, as a WebSocket. In a browser it takes the cookie: there, keys can't be given to one. */
  terminal(sessionId: string, query: TerminalQuery = {}): Promise<WebSocket> {
    return this.transport.connect(path`/v1/sessions/${sessionId}/terminal`, query)
  }

  /** Passes where a terminal would be let in, else fails with why not: a WebSocket that is refused does not say it. */
  async checkTerminal(sessionId: string, query: TerminalQuery = {}, options?: CallOptions): Promise<void> {
    const at = path`/v1/sessions/${sessionId}/terminal`
    try {
      await this.transport.send({ method: "GET", path: at, query }, options)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== upgradeRequired) throw error
    }
  }

  /** What is different in the working copy: between two checkpoints, since the beginning, up to now. */
  changes(sessionId: string, query?: ChangesQuery, options?: CallOptions): Call<SessionChanges> {
    return this.get(path`/v1/sessions/${sessionId}/changes`, query, options)
  }
}
