import { invalid, notFound } from "@troupe/domain/api/ApiError"
import { microsOf, timeOf } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Workspace"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect, Layer, Redacted } from "effect"
import { route } from "../gateway/Route.ts"
import { Caller } from "../gateway/Requests.ts"
import { ModelCards } from "../modelcards/ModelCards.ts"
import { type KnownRunner, RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { type Token, Tokens } from "../runners/Tokens.ts"

const orNull = (ms: number | null) => (ms === null ? null : timeOf(ms))

const tokenOut = (token: Token): Api.Token => ({
  id: token.tokenId,
  type: "token",
  kind: token.kind,
  name: token.name,
  hint: token.hint,
  labels: token.labels,
  scopes: token.scopes,
  created_at: timeOf(token.createdAt),
  expires_at: orNull(token.expiresAt),
  revoked_at: orNull(token.revokedAt),
  last_used_at: orNull(token.lastUsedAt)
})

const tokenOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, tokenId: string) {
  const tokens = yield* Tokens
  const token = (yield* tokens.list(workspaceId)).find((one) => one.tokenId === tokenId)
  return token ?? (yield* notFound(`Token ${tokenId} was not found.`))
})

const createToken = route(Api.createToken, "admin", ({ caller, payload }) =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const { actor, workspaceId } = caller
    const { expires_at, kind, name } = payload
    const expiresAt = expires_at == null ? null : microsOf(expires_at) / 1_000
    if (expiresAt !== null && expiresAt <= (yield* Clock.currentTimeMillis)) {
      return yield* invalid("expires_at: is in the past")
    }
    const labels = payload.kind === "runner_registration" ? (payload.labels ?? []) : []
    const scopes = payload.kind === "api_key" ? [...new Set(payload.scopes)] : []
    const made = yield* tokens.create({ workspaceId, kind, name, labels, scopes, expiresAt }, actor)
    const token = yield* tokenOf(workspaceId, made.tokenId)
    return { ...tokenOut(token), secret: Redacted.value(made.secret) }
  })
)

const listTokens = route(Api.listTokens, "admin", ({ caller }) =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    return { data: (yield* tokens.list(caller.workspaceId)).map(tokenOut).reverse(), next_page: null }
  })
)

const revokeToken = route(Api.revokeToken, "admin", ({ caller, params }) =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const { actor } = yield* Caller
    const { tokenId } = yield* tokenOf(caller.workspaceId, params.id)
    yield* tokens.revoke(caller.workspaceId, tokenId, actor)
    return { id: tokenId, type: "token_revoked" as const }
  })
)

const usable = (some: ReadonlyArray<{ readonly name: string; readonly usable: boolean }> | undefined) =>
  (some ?? []).filter((one) => one.usable).map(({ name }) => name)

const runnerOut = (runner: KnownRunner): Api.Runner => ({
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
  sandboxes: usable(runner.hello?.sandboxes)
})

const listRunners = route(Api.listRunners, "read", ({ caller }) =>
  Effect.gen(function* () {
    const registry = yield* RunnerRegistry
    return { data: (yield* registry.list(caller.workspaceId)).map(runnerOut), next_page: null }
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
const modelIds = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
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
