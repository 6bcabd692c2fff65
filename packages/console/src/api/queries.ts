import type { McpServer } from "@troupe/client"
import { queryOptions } from "@tanstack/react-query"
import { allOf, troupe } from "./troupe.ts"

const pageSize = { limit: 100 } as const

/** What more than one page asks for, each under one name, so that it is asked for once. */
export const agents = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => allOf(troupe.agents.list(pageSize, { signal }))
})
export const environments = queryOptions({
  queryKey: ["environments"],
  queryFn: ({ signal }) => allOf(troupe.environments.list(pageSize, { signal }))
})
/** The same with those that are archived. */
export const allEnvironments = queryOptions({
  queryKey: ["all-environments"],
  queryFn: ({ signal }) => allOf(troupe.environments.list({ ...pageSize, include_archived: "true" }, { signal }))
})
export const environment = (id: string) =>
  queryOptions({
    queryKey: ["environments", id],
    queryFn: ({ signal }) => troupe.environments.retrieve(id, { signal })
  })
export const models = queryOptions({
  queryKey: ["models"],
  queryFn: ({ signal }) => allOf(troupe.models.list({ limit: 1_000 }, { signal }))
})
export const modelCards = queryOptions({
  queryKey: ["model-cards"],
  queryFn: ({ signal }) => allOf(troupe.modelCards.list(pageSize, { signal }))
})
export const mcpServers = queryOptions({
  queryKey: ["mcp-servers"],
  queryFn: ({ signal }) => allOf(troupe.mcpServers.list(pageSize, { signal }))
})
export const mcpServer = (id: string) =>
  queryOptions({
    queryKey: ["mcp-servers", id],
    queryFn: ({ signal }) => troupe.mcpServers.retrieve(id, { signal })
  })
/** What a server has, asked for when somebody looks: anew once something was changed that matters to it. */
export const mcpTools = (server: Pick<McpServer, "id" | "updated_at" | "authorization">) =>
  queryOptions({
    queryKey: ["mcp-probe", server.id, server.updated_at, server.authorization],
    queryFn: ({ signal }) => troupe.mcpServers.probe(server.id, { signal }),
    staleTime: Infinity,
    retry: false
  })
export const runners = queryOptions({
  queryKey: ["runners"],
  queryFn: ({ signal }) => allOf(troupe.runners.list(pageSize, { signal }))
})
export const settings = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => troupe.settings.retrieve({ signal })
})

/** What checking a session found, asked for anew by whoever wants to know. */
export const verified = (sessionId: string) =>
  queryOptions({
    queryKey: ["verify", sessionId],
    queryFn: () => troupe.sessions.replay.verify(sessionId, { level: "1" }),
    staleTime: 0
  })
