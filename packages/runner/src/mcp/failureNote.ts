import type { JsonObject } from "@troupe/domain/Json"
import { Effect } from "effect"
import type { McpError } from "./McpError.ts"
import type { McpServer } from "./McpServer.ts"
import type { McpServerConfig } from "./McpServerConfig.ts"
import type { PlatformNoted } from "./McpTurn.ts"

export type Note = Omit<PlatformNoted, "_tag">

/** What a person can do about a server that lets nobody in: log in. Null where that would bring nothing. */
const remedyOf = (config: McpServerConfig, { reason, status, wants }: McpError): JsonObject | null => {
  if (reason !== "unauthorized" || config.type !== "url" || config.serverId === null) return null
  const { error, scope, scope_granted: isGranted } = wants ?? {}
  if (status === 403 && (error !== "insufficient_scope" || isGranted === true)) return null
  const path = `/v1/mcp_servers/${config.serverId}/authorize`
  return { server_id: config.serverId, method: "POST", path, ...(scope === undefined ? {} : { scope }) }
}

/** What people are told of a failure of a server, and what to do. */
export const failureNote = (config: McpServerConfig, error: McpError, more: JsonObject = {}): Note => {
  const { detail, reason, server, status, wants } = error
  const authorize = remedyOf(config, error)
  const toDo =
    authorize === null ? "" : `. Somebody has to log in: \`troupe mcp login ${String(authorize["server_id"])}\``
  return {
    code: reason === "unauthorized" ? "mcp_authentication_failed" : "mcp_connection_failed",
    message: `${error.message}${toDo}`,
    details: {
      server,
      reason,
      detail,
      status,
      ...(wants === undefined ? {} : { wants }),
      ...(authorize === null ? {} : { authorize }),
      ...more
    }
  }
}

/** The server for a turn, with people told, once, where a call was not let in. */
export const tellingOf = (server: McpServer, tell: (note: Note) => Effect.Effect<void>): McpServer => {
  let isTold = false
  const telling = <A>(asked: Effect.Effect<A, McpError>) =>
    Effect.tapError(asked, (error) => {
      if (error.reason !== "unauthorized" || isTold) return Effect.void
      isTold = true
      return tell(failureNote(server.config, error))
    })
  return {
    ...server,
    call: (call) => telling(server.call(call)),
    readResource: (uri, people) => telling(server.readResource(uri, people)),
    getPrompt: (name, input, people) => telling(server.getPrompt(name, input, people))
  }
}
