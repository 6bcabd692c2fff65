import type { Agent, McpProbe, McpServer, McpServerCreate } from "@troupe/client"
import { type Header, halfOf, headersOf } from "../ui/secretHeaders.logic.ts"

export interface Draft {
  readonly name: string
  readonly description: string
  readonly kind: "url" | "stdio"
  readonly url: string
  /** A program and its arguments, one a line. */
  readonly command: string
  /** Null where those that are kept stay as they are. */
  readonly headers: ReadonlyArray<Header> | null
  readonly allowed: string
  readonly sampling: boolean
  readonly trusts: boolean
}

const lines = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")

const words = (text: string): ReadonlyArray<string> => text.split(/[\s,]+/).filter((word) => word !== "")

export const draftOf = (server: McpServer | null): Draft => {
  const reach = server?.server
  return {
    name: server?.name ?? "",
    description: server?.description ?? "",
    kind: reach?.type ?? "url",
    url: reach?.type === "url" ? reach.url : "",
    command: reach?.type === "stdio" ? [reach.command, ...(reach.args ?? [])].join("\n") : "",
    headers: server === null || server.header_names.length === 0 ? [] : null,
    allowed: server?.options.allowed_tools?.join(" ") ?? "",
    sampling: server?.options.sampling === true,
    trusts: server?.options.trust_annotations === true
  }
}

/** What is still missing, in words; null once it can be sent. Whether anybody answers there is found out by asking. */
export const missing = ({ command, headers, kind, name, url }: Draft): string | null => {
  if (name.trim() === "") return "Give it a name: agents call it by that."
  if (name.includes("/")) return "A name has no slash: that parts a server from its tool."
  if (kind === "stdio") return lines(command).length === 0 ? "Say which program is started." : null
  const address = URL.parse(url.trim())
  if (address === null || !/^https?:$/.test(address.protocol)) return "Its address begins with https:// or http://."
  if (address.username !== "" || address.password !== "") return "An address has no password: headers are kept sealed."
  return halfOf(headers)
}

/** What a form says, over what it does not show of the server as it is. */
export const bodyOf = (draft: Draft, before: McpServer | null): McpServerCreate => {
  const { allowed_tools: _, sampling: __, transport, trust_annotations: ___, ...kept } = before?.options ?? {}
  const { command, kind, sampling, trusts, url } = draft
  const allowed = words(draft.allowed)
  const [program, ...args] = lines(command)
  const reach = before?.server
  const { cwd = undefined, env = undefined } = reach?.type === "stdio" ? reach : {}
  return {
    name: draft.name.trim(),
    description: draft.description.trim() === "" ? null : draft.description.trim(),
    server:
      kind === "url"
        ? { type: "url", url: url.trim() }
        : {
            type: "stdio",
            command: program ?? "",
            args,
            ...(env === undefined ? {} : { env }),
            ...(cwd === undefined ? {} : { cwd })
          },
    options: {
      ...kept,
      ...(kind === "url" && transport !== undefined ? { transport } : {}),
      ...(allowed.length === 0 ? {} : { allowed_tools: allowed }),
      ...(sampling ? { sampling } : {}),
      ...(trusts ? { trust_annotations: trusts } : {})
    },
    // A program is sent none.
    ...(kind === "stdio"
      ? (before?.header_names.length ?? 0) === 0
        ? {}
        : { headers: null }
      : draft.headers === null
        ? {}
        : { headers: headersOf(draft.headers) })
  }
}

/** Where a server is, or how it is started. */
export const reachOf = ({ server }: Pick<McpServer, "server">): string =>
  server.type === "url" ? server.url : [server.command, ...(server.args ?? [])].join(" ")

interface Standing {
  readonly tone: "good" | "bad" | ""
  readonly text: string
}

/** How a server lets sessions in. */
export const loginOf = ({ authorization, header_names, server }: McpServer): Standing => {
  if (server.type === "stdio") return { tone: "", text: "Runs in the sandbox" }
  switch (authorization) {
    case "connected":
      return { tone: "good", text: "Logged in" }
    case "login_required":
      return { tone: "bad", text: "Log in again" }
    case "none":
      return { tone: "", text: header_names.length === 0 ? "No login" : "By its headers" }
  }
}

/** Agents whose newest version names the server, and by which name. */
export const usersOf = (agents: ReadonlyArray<Agent>, serverId: string): ReadonlyArray<Agent> =>
  agents.filter(({ mcp_servers }) => mcp_servers.some((entry) => entry["server_id"] === serverId))

/** A tool with its arguments, as one would call it. */
export const signature = (tool: {
  readonly name: string
  readonly arguments: ReadonlyArray<{ readonly name: string; readonly required: boolean }>
}): string => `${tool.name}(${tool.arguments.map(({ name, required }) => (required ? name : `${name}?`)).join(", ")})`

/** What one writes into an agent to have the server's tools. */
export const snippet = ({ id, name }: Pick<McpServer, "id" | "name">): string =>
  JSON.stringify(
    {
      mcp_servers: [{ type: "registered", name, server_id: id }],
      tools: [{ type: "mcp_toolset", mcp_server_name: name }]
    },
    null,
    2
  )

/** What came of asking the server, in a few words. */
export const foundOf = ({ status, tools }: Pick<McpProbe, "status" | "tools">): Standing => {
  switch (status) {
    case "usable":
      return { tone: "good", text: tools.length === 1 ? "It has 1 tool" : `It has ${tools.length} tools` }
    case "login_required":
      return { tone: "bad", text: "It lets nobody in like this" }
    case "unusable":
      return { tone: "bad", text: "It can't be used" }
    case "not_probed":
      return { tone: "", text: "Not asked" }
  }
}
