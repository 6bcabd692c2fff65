import * as Api from "@troupe/domain/api/Access"
import { Api as Everything } from "@troupe/domain/api/Api"
import { forbidden, notFound } from "@troupe/domain/api/ApiError"
import { makeCursor, pageSizeDefault, readCursor, timeOf } from "@troupe/domain/api/Page"
import { WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Callers } from "../gateway/Callers.ts"
import { type Caller, Mint } from "../gateway/Requests.ts"
import { openRoute, rawRoute, route } from "../gateway/Route.ts"
import { release } from "../release.ts"
import { Tokens } from "../runners/Tokens.ts"
import { modelIds, pageOfTokens, tokenOf, tokenOut } from "../workspace/routes.ts"
import { type Workspace, Workspaces } from "../workspace/Workspaces.ts"
import { cookieOf, noCookie } from "./Cookie.ts"
import { isOperator } from "./isOperator.ts"
import { issueToken } from "./issueToken.ts"
import { Logins } from "./Logins.ts"
import { RateLimits } from "./RateLimits.ts"

type Known = Pick<Caller["Service"], "bound" | "scopes" | "tokenId" | "workspaceId">

const workspaceOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
  const workspaces = yield* Workspaces
  const found = yield* workspaces.find(workspaceId)
  return Option.isSome(found) ? found.value : yield* notFound(`Workspace ${workspaceId} was not found.`)
})

const meOf = Effect.fnUntraced(function* (caller: Known) {
  const { name, workspaceId } = yield* workspaceOf(caller.workspaceId)
  const token = yield* tokenOf(workspaceId, caller.tokenId)
  const answer: Api.Me = {
    type: "me",
    workspace: { id: workspaceId, name },
    token: {
      id: token.tokenId,
      kind: token.kind,
      name: token.name,
      hint: token.hint,
      expires_at: token.expiresAt === null ? null : timeOf(token.expiresAt)
    },
    scopes: token.scopes,
    bound_to: token.bound,
    operator: yield* isOperator(caller)
  }
  return answer
})

const me = route(Api.me, "read", ({ caller }) => meOf(caller))

/** The parts that the contract is divided into. */
const features = Object.keys(Everything.groups)

const clientConfig = ({ consoleDirectory }: AccessOptions) =>
  route(Api.clientConfig, "read", ({ caller }) =>
    Effect.gen(function* () {
      const { name, workspaceId } = yield* workspaceOf(caller.workspaceId)
      const models = yield* modelIds(workspaceId)
      return {
        type: "client_config" as const,
        version: release,
        workspace: { id: workspaceId, name },
        console: existsSync(join(consoleDirectory, "index.html")),
        demo: models.every((id) => id === "demo" || id.startsWith("demo/")),
        features
      }
    })
  )

const addressOf = ({ remoteAddress }: HttpServerRequest): string => Option.getOrElse(remoteAddress, () => "unknown")

export interface AccessOptions {
  /** Whether browsers come by HTTPS, and keep cookies from going any other way. */
  readonly secure: boolean
  /** Where browsers find this server, where that is not the name that a request came by. */
  readonly origin: string | null
  /** Where the console was built to. */
  readonly consoleDirectory: string
}

const login = ({ secure }: AccessOptions) =>
  openRoute(Api.login, ({ payload }, request) =>
    Effect.gen(function* () {
      yield* (yield* RateLimits).login(addressOf(request))
      const shown = yield* payload
      const logins = yield* Logins
      const made =
        "token" in shown
          ? yield* logins.withLink(Redacted.make(shown.token))
          : yield* logins.withKey(Redacted.make(shown.api_key))
      const maxAgeSeconds = Math.floor((made.expiresAt - (yield* Clock.currentTimeMillis)) / 1_000)
      const cookie = cookieOf(request.headers, made.secret, { maxAgeSeconds, secure })
      const { identify } = yield* Callers
      const caller = yield* identify({ ...request.headers, cookie, authorization: "", "x-api-key": "" })
      const response = HttpServerResponse.jsonUnsafe(yield* meOf(caller))
      return HttpServerResponse.setHeaders(response, { "set-cookie": cookie, "cache-control": "no-store" })
    })
  )

const logout = ({ secure }: AccessOptions) =>
  rawRoute(Api.logout, "read", ({ caller }, request) =>
    Effect.gen(function* () {
      if (caller.kind === "console") {
        yield* (yield* Tokens).revoke(caller.workspaceId, caller.tokenId, caller.actor, { children: true })
      }
      return HttpServerResponse.setHeader(
        HttpServerResponse.jsonUnsafe({ type: "logged_out" }),
        "set-cookie",
        noCookie(request.headers, secure)
      )
    })
  )

const createLoginLink = ({ origin, secure }: AccessOptions) =>
  route(
    Api.createLoginLink,
    "read",
    ({ caller }) =>
      Effect.gen(function* () {
        const { link } = yield* Logins
        const { headers } = yield* HttpServerRequest
        const made = yield* link(caller)
        const base = origin ?? `${secure ? "https" : "http"}://${headers["host"]}`
        // Behind the #, so that it is in no log and in no Referer.
        const url = `${base}/login#${Redacted.value(made.secret)}`
        return { type: "login_link" as const, id: made.tokenId, url, expires_at: timeOf(made.expiresAt) }
      }),
    { shownOnce: true }
  )

const listLogins = route(Api.listLogins, "read", ({ caller, query }) =>
  pageOfTokens("logins", caller.workspaceId, query, { kind: "console", parentId: caller.keyId, living: true })
)

const revokeLogin = route(Api.revokeLogin, "read", ({ caller, params }) =>
  Effect.gen(function* () {
    const { kind, parentId, tokenId } = yield* tokenOf(caller.workspaceId, params.id)
    if (kind !== "console" || parentId !== caller.keyId) return yield* notFound(`Login ${params.id} was not found.`)
    yield* (yield* Tokens).revoke(caller.workspaceId, tokenId, caller.actor, { children: true })
    return { id: tokenId, type: "login_revoked" as const }
  })
)

const workspaceOut = ({ createdAt, name, workspaceId }: Workspace): Api.Workspace => ({
  id: workspaceId,
  type: "workspace",
  name,
  created_at: timeOf(createdAt)
})

const listWorkspaces = route(Api.listWorkspaces, "admin", ({ caller, query }) =>
  Effect.gen(function* () {
    const { limit = pageSizeDefault, page } = query
    const after = page === undefined ? null : (yield* Effect.fromResult(readCursor("workspaces", ["string"], page)))[0]
    if (!(yield* isOperator(caller))) {
      const own = yield* workspaceOf(caller.workspaceId)
      return { data: after === null ? [workspaceOut(own)] : [], next_page: null }
    }
    const found = yield* (yield* Workspaces).list(after, limit + 1)
    const last = found.length > limit ? found[limit - 1] : undefined
    return {
      data: found.slice(0, limit).map(workspaceOut),
      next_page: last === undefined ? null : makeCursor("workspaces", [last.workspaceId])
    }
  })
)

const createWorkspace = route(Api.createWorkspace, "admin", ({ caller, payload }) =>
  Effect.gen(function* () {
    if (!(yield* isOperator(caller))) return yield* forbidden("Workspaces are made by admins of the first one")
    const mint = yield* Mint
    const made = yield* (yield* Workspaces).create(payload.name, caller.actor, WorkspaceId.make(mint("Workspace")))
    return workspaceOut(yield* workspaceOf(made))
  })
)

const createWorkspaceToken = route(
  Api.createWorkspaceToken,
  "admin",
  ({ caller, params, payload }) =>
    Effect.gen(function* () {
      const own = params.id === caller.workspaceId
      if (!own && !(yield* isOperator(caller))) return yield* notFound(`Workspace ${params.id} was not found.`)
      const { workspaceId } = yield* workspaceOf(params.id)
      const made = yield* issueToken(caller, payload, workspaceId)
      return { ...tokenOut(yield* tokenOf(workspaceId, made.tokenId)), secret: Redacted.value(made.secret) }
    }),
  { shownOnce: true }
)

export const routes = (options: AccessOptions) =>
  Layer.mergeAll(
    me,
    clientConfig(options),
    login(options),
    logout(options),
    createLoginLink(options),
    listLogins,
    revokeLogin,
    listWorkspaces,
    createWorkspace,
    createWorkspaceToken
  )
