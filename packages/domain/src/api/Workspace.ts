import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { EnvironmentId, RunnerId, SessionId, TokenId, WorkId, WorkspaceId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Page, pageQuery, Time } from "./Page.ts"

/** What a key may do. `write` includes `read`, and `admin` includes all. */
export const scopes = ["read", "write", "approve", "runner", "admin"] as const
export const Scope = Schema.Literals(scopes)
export type Scope = typeof Scope.Type

const includes: { readonly [S in Scope]?: ReadonlyArray<Scope> } = { admin: scopes, write: ["read"] }

export const allows = (held: ReadonlyArray<string>, wanted: Scope): boolean =>
  held.some((scope) => scope === wanted || includes[scope as Scope]?.includes(wanted) === true)

// Names stand in logs and sentences, so there are no controls in them, and no halves of surrogate pairs.
const Name = Schema.String.check(Schema.isPattern(/^[^\p{Cc}\p{Cs}]{1,128}$/u))
const Labels = Schema.Array(Name).check(Schema.isMaxLength(64))

/** The kinds of tokens that the API makes and lists. */
export const tokenKinds = [
  "api_key",
  "runner_registration",
  "runner",
  "environment_key",
  "worker",
  "end_user",
  "stream",
  "console",
  "login"
] as const

/**
 * What a token is for, if not for its whole workspace. An end user's opens the sessions that carry the user's id, or the
 * ones that are named; no others, and nothing of the workspace itself.
 */
export const BoundTo = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("end_user"),
    subject: Schema.String,
    session_ids: Schema.NullOr(Schema.Array(SessionId))
  }),
  Schema.Struct({
    type: Schema.Literal("session"),
    session_id: SessionId,
    /** The work for which a worker was given it, with which it is kept up and ended. */
    work_id: Schema.optionalKey(WorkId)
  }),
  Schema.Struct({ type: Schema.Literal("environment"), environment_id: EnvironmentId })
]).annotate({ identifier: "BoundTo" })
export type BoundTo = typeof BoundTo.Type

const token = {
  id: TokenId,
  type: Schema.Literal("token"),
  kind: Schema.String,
  name: Schema.String,
  /** The end of its secret, to recognise it by. */
  hint: Schema.String,
  labels: Schema.Array(Schema.String),
  scopes: Schema.Array(Schema.String),
  bound_to: Schema.NullOr(BoundTo),
  created_at: Schema.String,
  expires_at: Schema.NullOr(Schema.String),
  revoked_at: Schema.NullOr(Schema.String),
  last_used_at: Schema.NullOr(Schema.String)
}
export const Token = Schema.Struct(token).annotate({ identifier: "Token" })
export type Token = typeof Token.Type

const expires = { expires_at: Schema.optionalKey(Schema.NullOr(Time)) }
/** Those of tokens that a product gives to its users' browsers: nothing of a workspace is configured with them. */
const delegable = ["read", "write", "approve"] as const

export const TokenCreate = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("api_key"),
    name: Name,
    scopes: Schema.Array(Scope).check(Schema.isMinLength(1)),
    ...expires
  }),
  /** What runners come with to get an identity of their own. */
  Schema.Struct({
    kind: Schema.Literal("runner_registration"),
    name: Name,
    labels: Schema.optionalKey(Labels),
    ...expires
  }),
  /** For workers that take the work of a self-hosted environment. */
  Schema.Struct({ kind: Schema.Literal("environment_key"), name: Name, environment_id: EnvironmentId, ...expires }),
  /** For the worker of one session. Expires in a day unless it says when. */
  Schema.Struct({
    kind: Schema.Literal("worker"),
    name: Schema.optionalKey(Name),
    session_id: SessionId,
    ...expires
  }),
  /** For a user of a product that is built on Troupe. Expires in an hour unless it says when. */
  Schema.Struct({
    kind: Schema.Literal("end_user"),
    name: Schema.optionalKey(Name),
    subject: Name,
    session_ids: Schema.optionalKey(
      Schema.NullOr(Schema.Array(SessionId).check(Schema.isMinLength(1), Schema.isMaxLength(100)))
    ),
    scopes: Schema.optionalKey(Schema.Array(Schema.Literals(delegable)).check(Schema.isMinLength(1))),
    ...expires
  }),
  /** For reading one session where only an address can be given. Expires in five minutes unless it says when. */
  Schema.Struct({
    kind: Schema.Literal("stream"),
    name: Schema.optionalKey(Name),
    session_id: SessionId,
    ...expires
  })
])
export type TokenCreate = typeof TokenCreate.Type

export const createToken = HttpApiEndpoint.post("createToken", "/v1/tokens", {
  payload: TokenCreate,
  /** The secret is shown here and nowhere else. */
  success: Schema.Struct({ ...token, secret: Schema.String }),
  error: anyFailure
})
export const listTokens = HttpApiEndpoint.get("listTokens", "/v1/tokens", {
  query: { ...pageQuery, kind: Schema.optionalKey(Schema.Literals(tokenKinds)) },
  success: Page(Token),
  error: anyFailure
})
export const revokeToken = HttpApiEndpoint.delete("revokeToken", "/v1/tokens/:id", {
  params: { id: TokenId },
  success: Schema.Struct({ id: TokenId, type: Schema.Literal("token_revoked") }),
  error: anyFailure
})

export const Runner = Schema.Struct({
  id: RunnerId,
  type: Schema.Literal("runner"),
  name: Schema.String,
  labels: Schema.Array(Schema.String),
  status: Schema.Literals(["connected", "away", "revoked"]),
  draining: Schema.Boolean,
  attempts: Schema.Int,
  sessions: Schema.Int,
  release: Schema.NullOr(Schema.String),
  harnesses: Schema.Array(Schema.String),
  sandboxes: Schema.Array(Schema.String),
  /** What it looked for and can't use, and why. */
  unusable: Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["harness", "sandbox", "model_provider"]),
      name: Schema.String,
      reasons: Schema.Array(Schema.String)
    })
  ),
  /** What it is let in by: revoking this token ends it. */
  token_id: TokenId
}).annotate({ identifier: "Runner" })
export type Runner = typeof Runner.Type

/** A runner that comes with a registration token, and is given an identity for it: `docs/runners.md`. */
export const registerRunner = HttpApiEndpoint.post("registerRunner", "/v1/runners/register", {
  payload: Schema.Struct({ name: Name, labels: Schema.optionalKey(Labels) }),
  /** The credential is shown here and nowhere else. */
  success: Schema.Struct({ runner_id: RunnerId, workspace_id: WorkspaceId, credential: Schema.String }),
  error: anyFailure
}).annotateMerge(
  OpenApi.annotations({
    summary: "Register a runner",
    description: "Takes a registration token of runners, and gives the runner an identity and a credential of its own."
  })
)
export const listRunners = HttpApiEndpoint.get("listRunners", "/v1/runners", {
  query: pageQuery,
  success: Page(Runner),
  error: anyFailure
})

export const Model = Schema.Struct({
  id: Schema.String,
  type: Schema.Literal("model"),
  display_name: Schema.String,
  created_at: Schema.String,
  capabilities: Schema.Null,
  deprecated_at: Schema.Null,
  lifecycle: Schema.Literal("active"),
  line: Schema.Null,
  max_input_tokens: Schema.Null,
  max_tokens: Schema.Null,
  retires_at: Schema.Null
}).annotate({ identifier: "Model" })
export type Model = typeof Model.Type

export const listModels = HttpApiEndpoint.get("listModels", "/v1/models", {
  query: {
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
    after_id: Schema.optionalKey(Schema.String),
    before_id: Schema.optionalKey(Schema.String)
  },
  success: Schema.Struct({
    data: Schema.Array(Model),
    has_more: Schema.Boolean,
    first_id: Schema.NullOr(Schema.String),
    last_id: Schema.NullOr(Schema.String)
  }),
  error: anyFailure
})
export const retrieveModel = HttpApiEndpoint.get("retrieveModel", "/v1/models/:id", {
  params: { id: Schema.String },
  success: Model,
  error: anyFailure
})

export const group = HttpApiGroup.make("workspace").add(
  createToken,
  listTokens,
  revokeToken,
  registerRunner,
  listRunners,
  listModels,
  retrieveModel
)
