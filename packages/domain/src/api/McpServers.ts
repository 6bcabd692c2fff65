import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { McpServerId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Name, Text } from "./Common.ts"
import { Page, pageQuery } from "./Page.ts"
import { SecretHeaders } from "./SecretHeaders.ts"

const nullish = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** A slash is what parts a server from its tool, in policies. */
export const McpServerName = Schema.String.check(Schema.isPattern(/^[^\p{Cc}/]{1,255}$/u))

export const HttpUrl = Schema.String.check(
  Schema.isMaxLength(2_048),
  Schema.makeFilter(
    (text: string) => {
      const url = URL.parse(text)
      return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
    },
    { expected: "an http(s) URL without a user name" }
  )
)

/** How a server is used, wherever it is named. */
export const McpOptions = Schema.Struct({
  allowed_tools: Schema.optionalKey(Schema.Array(Name(256)).check(Schema.isMaxLength(1_000))),
  timeout_ms: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_600_000 }))),
  transport: Schema.optionalKey(Schema.Literals(["auto", "streamable_http", "sse"])),
  sampling: Schema.optionalKey(Schema.Boolean),
  trust_annotations: Schema.optionalKey(Schema.Boolean)
})
export type McpOptions = typeof McpOptions.Type

export const UrlReach = { type: Schema.Literal("url"), url: HttpUrl }
export const StdioReach = {
  type: Schema.Literal("stdio"),
  command: Name(4_096),
  args: Schema.optionalKey(Schema.Array(Text(32_768)).check(Schema.isMaxLength(256))),
  /** Variables of the sandbox, where the agent can read them: no place for secrets. */
  env: Schema.optionalKey(Schema.Record(Name(128), Text(32_768))),
  cwd: Schema.optionalKey(Name(4_096))
}

/** Where a server is, or how it is started inside of a session's sandbox. */
export const McpReach = Schema.Union([Schema.Struct(UrlReach), Schema.Struct(StdioReach)])
export type McpReach = typeof McpReach.Type

export const McpServerDefinition = Schema.Struct({
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  server: McpReach,
  options: McpOptions,
  /** Which headers are kept; what they say is not shown. */
  header_names: Schema.Array(Schema.String)
})
export type McpServerDefinition = typeof McpServerDefinition.Type

/** An MCP server that agents of the workspace may use. */
export const McpServer = Schema.Struct({
  id: McpServerId,
  type: Schema.Literal("mcp_server"),
  ...McpServerDefinition.fields,
  /** Whether it lets the workspace in by OAuth: `none` where nobody ever logged in. */
  authorization: Schema.Literals(["none", "connected", "login_required"]),
  created_at: Schema.String,
  updated_at: Schema.String
}).annotate({ identifier: "McpServer" })
export type McpServer = typeof McpServer.Type

export const McpServerCreate = Schema.Struct({
  name: McpServerName,
  description: nullish(Text(2_048)),
  server: McpReach,
  options: Schema.optionalKey(McpOptions),
  headers: nullish(SecretHeaders)
})
export type McpServerCreate = typeof McpServerCreate.Type

export const McpServerUpdate = Schema.Struct({
  name: Schema.optionalKey(McpServerName),
  description: nullish(Text(2_048)),
  server: Schema.optionalKey(McpReach),
  options: Schema.optionalKey(McpOptions),
  /** All of them; null takes them away. */
  headers: nullish(SecretHeaders)
})
export type McpServerUpdate = typeof McpServerUpdate.Type

const one = { id: McpServerId }

export const create = HttpApiEndpoint.post("createMcpServer", "/v1/mcp_servers", {
  payload: McpServerCreate,
  success: McpServer,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listMcpServers", "/v1/mcp_servers", {
  query: pageQuery,
  success: Page(McpServer),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveMcpServer", "/v1/mcp_servers/:id", {
  params: one,
  success: McpServer,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateMcpServer", "/v1/mcp_servers/:id", {
  params: one,
  payload: McpServerUpdate,
  success: McpServer,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteMcpServer", "/v1/mcp_servers/:id", {
  params: one,
  success: Schema.Struct({ id: McpServerId, type: Schema.Literal("mcp_server_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("mcp_servers").add(create, list, retrieve, update, remove)
