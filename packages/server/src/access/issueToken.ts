import { ApiFailure, conflict, forbidden, invalid } from "@troupe/domain/api/ApiError"
import { microsOf } from "@troupe/domain/api/Page"
import { allows, type BoundTo, type Scope, type TokenCreate } from "@troupe/domain/api/Workspace"
import { TokenId, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Environments } from "../environments/Environments.ts"
import { type Caller, Mint } from "../gateway/Requests.ts"
import { type NewToken, Tokens } from "../runners/Tokens.ts"
import { Bounds } from "./Bounds.ts"

const minuteMs = 60_000
const dayMs = 1_440 * minuteMs

/** How long those last that are given to somebody else: unless they say, and at most. */
const lasting = {
  worker: { usualMs: dayMs, maxMs: 31 * dayMs },
  end_user: { usualMs: 60 * minuteMs, maxMs: 31 * dayMs },
  stream: { usualMs: 5 * minuteMs, maxMs: dayMs }
} as const

type Kind = TokenCreate["kind"]
const derived = (kind: Kind): kind is keyof typeof lasting => kind in lasting

const endOf = Effect.fnUntraced(function* ({ expires_at, kind }: TokenCreate) {
  const now = yield* Clock.currentTimeMillis
  if (expires_at == null) return derived(kind) ? now + lasting[kind].usualMs : null
  const at = microsOf(expires_at) / 1_000
  if (at <= now) return yield* invalid("expires_at: is in the past")
  if (derived(kind) && at > now + lasting[kind].maxMs) {
    return yield* invalid(`expires_at: tokens of this kind last at most ${lasting[kind].maxMs / dayMs} days`)
  }
  return Math.floor(at)
})

const usualScopes = ["read", "write", "approve"] as const

const scopesOf = (asked: TokenCreate): ReadonlyArray<Scope> => {
  switch (asked.kind) {
    case "api_key":
      return [...new Set(asked.scopes)]
    case "end_user":
      return [...new Set(asked.scopes ?? usualScopes)]
    case "worker":
    case "environment_key":
      return ["read", "write"]
    case "stream":
      return ["read"]
    case "runner_registration":
      return []
  }
}

const boundOf = (asked: TokenCreate): BoundTo | null => {
  switch (asked.kind) {
    case "end_user":
      return { type: "end_user", subject: asked.subject, session_ids: asked.session_ids ?? null }
    case "worker":
    case "stream":
      return { type: "session", session_id: asked.session_id }
    case "environment_key":
      return { type: "environment", environment_id: asked.environment_id }
    default:
      return null
  }
}

/** Nobody gives away more than they have: keys of a workspace are for its admins, the rest for those who hold as much. */
const checkScopes = (caller: Caller["Service"], kind: Kind, scopes: ReadonlyArray<Scope>): ApiFailure | undefined => {
  if (caller.bound !== null && kind !== "stream") return forbidden("This token can make stream tokens alone")
  const wanted: ReadonlyArray<Scope> = derived(kind) ? scopes : ["admin"]
  const missing = wanted.find((scope) => !allows(caller.scopes, scope))
  return missing === undefined ? undefined : forbidden(`This token has no ${missing} scope`)
}

/** What the token is to be for has to be there, and within the caller's own reach. */
const checkBound = Effect.fnUntraced(function* (caller: Caller["Service"], bound: BoundTo | null) {
  const bounds = yield* Bounds
  if (bound?.type === "session") yield* bounds.session(caller, bound.session_id)
  if (bound?.type === "end_user") {
    for (const id of bound.session_ids ?? []) yield* bounds.session(caller, id)
  }
  if (bound?.type === "environment") {
    const environments = yield* Environments
    yield* environments.find(caller.workspaceId, bound.environment_id)
  }
})

/** Makes a token in a workspace: the caller's own, or one that an operator names. */
export const issueToken = Effect.fn("issueToken")(function* (
  caller: Caller["Service"],
  asked: TokenCreate,
  workspaceId: WorkspaceId = caller.workspaceId
) {
  const tokens = yield* Tokens
  const scopes = scopesOf(asked)
  const refused = checkScopes(caller, asked.kind, scopes)
  if (refused !== undefined) return yield* refused
  const bound = boundOf(asked)
  yield* checkBound({ ...caller, workspaceId }, bound)
  const made = TokenId.make((yield* Mint)("Token"))
  const madeBefore = conflict(
    `This request made ${made} before, and its answer was lost; revoke that one and make another`
  )
  if (Option.isSome(yield* tokens.find(workspaceId, made))) return yield* madeBefore
  // Sent to two nodes at once, it may be made between the look and the write.
  const orBefore = (error: SqlError) => Effect.fail(error.reason._tag === "UniqueViolation" ? madeBefore : error)
  const name = asked.name ?? (asked.kind === "end_user" ? asked.subject : asked.kind)
  const labels = asked.kind === "runner_registration" ? (asked.labels ?? []) : []
  const token: NewToken = {
    ...{ tokenId: made, workspaceId, kind: asked.kind, name, labels, scopes, bound },
    expiresAt: yield* endOf(asked)
  }
  const { actor, tokenId } = caller
  if (!derived(asked.kind) || workspaceId !== caller.workspaceId) {
    return yield* Effect.catchTag(tokens.create(token, actor), "SqlError", orBefore)
  }
  const parentId = caller.kind === "console" ? caller.keyId : tokenId
  return yield* tokens.derive({ ...token, parentId }, actor).pipe(
    Effect.catchTags({
      ParentRevoked: () =>
        Effect.fail(new ApiFailure({ type: "authentication_error", message: "The token opens nothing any more" })),
      SqlError: orBefore
    })
  )
})
