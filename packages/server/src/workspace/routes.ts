import type { Capability } from "@troupe/domain/runner/Hello"
import { notFound } from "@troupe/domain/api/ApiError"
import { makeCursor, pageSizeDefault, readCursor, timeOf } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Workspace"
import type { TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Layer, Option, Redacted } from "effect"
import { issueToken } from "../access/issueToken.ts"
import type { PageQuery } from "../gateway/places.ts"
import { route } from "../gateway/Route.ts"
import { ModelCards } from "../modelcards/ModelCards.ts"
import { type KnownRunner, RunnerRegistry } from "../runners/RunnerRegistry.ts"
import type { Token } from "../runners/TokenRows.ts"
import { Tokens } from "../runners/Tokens.ts"

const orNull = (ms: number | null) => (ms === null ? null : timeOf(ms))

export const tokenOut = (token: Token): Api.Token => ({
  id: token.tokenId,
  type: "token",
  kind: token.kind,
  name: token.name,
  hint: token.hint,
  labels: token.labels,
  scopes: token.scopes,
  bound_to: token.bound,
  created_at: timeOf(token.createdAt),
  expires_at: orNull(token.expiresAt),
  revoked_at: orNull(token.revokedAt),
  last_used_at: orNull(token.lastUsedAt)
})

export const tokenOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, tokenId: TokenId) {
  const tokens = yield* Tokens
  const token = yield* tokens.find(workspaceId, tokenId)
  return Option.isSome(token) ? token.value : yield* notFound(`Token ${tokenId} was not found.`)
})

/** Who may make which kind is for the kinds to say. */
const createToken = route(
  Api.createToken,
  "read",
  ({ caller, payload }) =>
    Effect.gen(function* () {
      const made = yield* issueToken(caller, payload)
      const token = yield* tokenOf(caller.workspaceId, made.tokenId)
      return { ...tokenOut(token), secret: Redacted.value(made.secret) }
    }),
  { shownOnce: true }
)

const tokensBefore = Effect.fnUntraced(function* (list: string, page: string | undefined) {
  if (page === undefined) return null
  const [createdMicros, tokenId] = yield* Effect.fromResult(readCursor(list, ["number", "string"], page))
  return { createdMicros, tokenId }
})

/** A page of a workspace's tokens, or of some of them. */
export const pageOfTokens = Effect.fnUntraced(function* (
  list: string,
  workspaceId: WorkspaceId,
  { limit = pageSizeDefault, page }: PageQuery,
  some: { readonly kind?: string | undefined; readonly parentId?: TokenId; readonly living?: boolean }
) {
  const tokens = yield* Tokens
  const found = yield* tokens.list(workspaceId, { ...some, before: yield* tokensBefore(list, page), limit: limit + 1 })
  const last = found.length > limit ? found[limit - 1] : undefined
  return {
    data: found.slice(0, limit).map(tokenOut),
    next_page: last === undefined ? null : makeCursor(list, [last.createdMicros, last.tokenId])
  }
})

const listTokens = route(Api.listTokens, "admin", ({ caller, query }) =>
  pageOfTokens("tokens", caller.workspaceId, query, { kind: query.kind })
)

const revokeToken = route(Api.revokeToken, "admin", ({ caller, params }) =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const { kind, tokenId } = yield* tokenOf(caller.workspaceId, params.id)
    // Runners got an identity of their own for the registration token.
    yield* tokens.revoke(caller.workspaceId, tokenId, caller.actor, { children: kind !== "runner_registration" })
    return { id: tokenId, type: "token_revoked" as const }
  })
)

const usable = (some: ReadonlyArray<{ readonly name: string; readonly usable: boolean }> | undefined) =>
  (some ?? []).filter((one) => one.usable).map(({ name }) => name)

const unusable = (kind: Api.Runner["unusable"][number]["kind"], some: ReadonlyArray<Capability> | undefined) =>
  (some ?? []).filter((one) => !one.usable).map(({ name, notes }) => ({ kind, name, reasons: notes }))

export const runnerOut = (runner: KnownRunner): Api.Runner => ({
  id: runner.runnerId,
  type: "runner",
  name: runner.name,
  labels: runner.labels,
  status: runner.revoked ? "revoked" : runner.node === null ? "away" : "connected",
  draining: runner.drained || runner.load.draining,
  attempts: runner.load.attempts,
  sessions: runner.load.sessions,
  release: runner.hello?.release ?? null,
  harnesses: usable(runner.hello?.harnesses),
  sandboxes: usable(runner.hello?.sandboxes),
  unusable: [
    ...unusable("harness", runner.hello?.harnesses),
    ...unusable("sandbox", runner.hello?.sandboxes),
    ...unusable("model_provider", runner.hello?.models)
  ],
  token_id: runner.tokenId
})

const listRunners = route(Api.listRunners, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const registry = yield* RunnerRegistry
    const { limit = pageSizeDefault, page } = query
    const [after] = page === undefined ? [null] : yield* Effect.fromResult(readCursor("runners", ["string"], page))
    const found = yield* registry.list(caller.workspaceId, { after, limit: limit + 1 })
    const last = found.length > limit ? found[limit - 1] : undefined
    return {
      data: found.slice(0, limit).map(runnerOut),
      next_page: last === undefined ? null : makeCursor("runners", [last.runnerId])
    }
  })
)

/** When a model came out is not known here. */
const unknownTime = timeOf(0)

const modelOut = (id: string): Api.Model => ({
  id,
  type: "model",
  display_name: id,
  created_at: unknownTime,
  capabilities: null,
  deprecated_at: null,
  lifecycle: "active",
  line: null,
  max_input_tokens: null,
  max_tokens: null,
  retires_at: null
})

const namesOf = (details: { readonly [key: string]: unknown }): ReadonlyArray<string> => {
  const { models } = details
  return Array.isArray(models) ? models.filter((name) => typeof name === "string") : []
}

/** The models that connected runners can reach, and the workspace's own cards. */
export const modelIds = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
  const registry = yield* RunnerRegistry
  const runners = (yield* registry.list(workspaceId)).filter(({ node, revoked }) => node !== null && !revoked)
  const providers = runners.flatMap(({ hello }) => hello?.models ?? []).filter((provider) => provider.usable)
  const cards = yield* ModelCards
  const names = [...(yield* cards.names(workspaceId)), ...providers.flatMap(({ details }) => namesOf(details))]
  return [...new Set(names)].sort()
})

const listModels = route(Api.listModels, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const { after_id, before_id, limit = 20 } = query
    const all = yield* modelIds(caller.workspaceId)
    const rest = all.filter(
      (id) => (after_id === undefined || id > after_id) && (before_id === undefined || id < before_id)
    )
    const backwards = before_id !== undefined && after_id === undefined
    const data = backwards ? rest.slice(-limit) : rest.slice(0, limit)
    return {
      data: data.map(modelOut),
      has_more: rest.length > data.length,
      first_id: data[0] ?? null,
      last_id: data.at(-1) ?? null
    }
  })
)

const retrieveModel = route(Api.retrieveModel, "read", ({ caller, params }) =>
  Effect.gen(function* () {
    const all = yield* modelIds(caller.workspaceId)
    return all.includes(params.id)
      ? modelOut(params.id)
      : yield* notFound(`Model ${params.id.slice(0, 128)} was not found.`)
  })
)

export const routes = Layer.mergeAll(createToken, listTokens, revokeToken, listRunners, listModels, retrieveModel)
