import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { TokenId, WorkspaceId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Page, pageQuery } from "./Page.ts"
import { BoundTo, Token, TokenCreate } from "./Workspace.ts"

const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

export const Workspace = Schema.Struct({
  id: WorkspaceId,
  type: Schema.Literal("workspace"),
  name: Schema.String,
  created_at: Schema.String
}).annotate({ identifier: "Workspace" })
export type Workspace = typeof Workspace.Type

const WorkspaceName = Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,128}$/u))

/** Who asks: what the token is, which workspace it opens, and what of it. */
export const Me = Schema.Struct({
  type: Schema.Literal("me"),
  workspace: Schema.Struct({ id: WorkspaceId, name: Schema.String }),
  token: Schema.Struct({
    id: TokenId,
    kind: Schema.String,
    name: Schema.String,
    hint: Schema.String,
    expires_at: Schema.NullOr(Schema.String)
  }),
  scopes: Schema.Array(Schema.String),
  bound_to: Schema.NullOr(BoundTo),
  /** Whether it may make workspaces: an admin of the first one may. */
  operator: Schema.Boolean
}).annotate({ identifier: "Me" })
export type Me = typeof Me.Type

/** What a client has to know of this installation before it shows anything. */
export const ClientConfig = Schema.Struct({
  type: Schema.Literal("client_config"),
  version: Schema.String,
  workspace: Schema.Struct({ id: WorkspaceId, name: Schema.String }),
  /** Whether this server has the console at `/`. */
  console: Schema.Boolean,
  /** No model can be reached but the one that needs no key. */
  demo: Schema.Boolean,
  /** The parts of the API that this release has. */
  features: Schema.Array(Schema.String)
}).annotate({ identifier: "ClientConfig" })
export type ClientConfig = typeof ClientConfig.Type

export const me = HttpApiEndpoint.get("whoAmI", "/v1/me", { success: Me, error: anyFailure }).annotateMerge(
  described("Who am I", "What the token of this request is, which workspace it opens, and what of it.")
)
export const clientConfig = HttpApiEndpoint.get("clientConfig", "/v1/config/client", {
  success: ClientConfig,
  error: anyFailure
}).annotateMerge(described("What a client has to know", "Version, features, and whether there is a real model."))

const Secret = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(512))

export const login = HttpApiEndpoint.post("logIn", "/v1/login", {
  payload: Schema.Union([Schema.Struct({ token: Secret }), Schema.Struct({ api_key: Secret })]),
  success: Me,
  error: anyFailure
}).annotateMerge(
  described(
    "Log a browser in",
    "Takes the token of a one-time link, or an API key, and sets a cookie that pages of this server are let in with. Needs no other key."
  )
)
export const logout = HttpApiEndpoint.post("logOut", "/v1/logout", {
  success: Schema.Struct({ type: Schema.Literal("logged_out") }),
  error: anyFailure
}).annotateMerge(described("Log this browser out", "Its cookie opens nothing from now on."))

export const LoginLink = Schema.Struct({
  type: Schema.Literal("login_link"),
  id: TokenId,
  url: Schema.String,
  expires_at: Schema.String
}).annotate({ identifier: "LoginLink" })

export const createLoginLink = HttpApiEndpoint.post("createLoginLink", "/v1/login_links", {
  success: LoginLink,
  error: anyFailure
}).annotateMerge(
  described("Make a one-time login link", "Logs one browser in as the key that makes it, once, within ten minutes.")
)
export const listLogins = HttpApiEndpoint.get("listLogins", "/v1/logins", {
  query: pageQuery,
  success: Page(Token),
  error: anyFailure
}).annotateMerge(described("List logged-in browsers", "Of the key that asks, or that this browser was logged in with."))
export const revokeLogin = HttpApiEndpoint.delete("revokeLogin", "/v1/logins/:id", {
  params: { id: TokenId },
  success: Schema.Struct({ id: TokenId, type: Schema.Literal("login_revoked") }),
  error: anyFailure
}).annotateMerge(described("Log another browser out", "Within five seconds, open streams included."))

export const listWorkspaces = HttpApiEndpoint.get("listWorkspaces", "/v1/workspaces", {
  query: pageQuery,
  success: Page(Workspace),
  error: anyFailure
}).annotateMerge(described("List workspaces", "All of them for an operator; one's own for everybody else."))
export const createWorkspace = HttpApiEndpoint.post("createWorkspace", "/v1/workspaces", {
  payload: Schema.Struct({ name: WorkspaceName }),
  success: Workspace,
  error: anyFailure
}).annotateMerge(
  described(
    "Create a workspace",
    "For operators: admins of the first workspace. Its first key is made with its tokens."
  )
)
export const createWorkspaceToken = HttpApiEndpoint.post("createWorkspaceToken", "/v1/workspaces/:id/tokens", {
  params: { id: WorkspaceId },
  payload: TokenCreate,
  success: Schema.Struct({ ...Token.fields, secret: Schema.String }),
  error: anyFailure
}).annotateMerge(described("Create a token in a workspace", "For operators, and for admins in their own workspace."))

export const group = HttpApiGroup.make("access")
  .add(me, clientConfig, login, logout, createLoginLink, listLogins, revokeLogin)
  .add(listWorkspaces, createWorkspace, createWorkspaceToken)
  .annotateMerge(OpenApi.annotations({ description: "Who may come in, and to which workspace." }))
