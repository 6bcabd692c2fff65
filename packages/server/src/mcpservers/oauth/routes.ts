import { ApiFailure } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/McpAuthorizations"
import { Effect, Layer } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { announce } from "../../gateway/Door.ts"
import { route } from "../../gateway/Route.ts"
import { sealing } from "../../secrets/sealing.ts"
import { McpAuthorizations } from "./McpAuthorizations.ts"
import { clientMetadata } from "./OAuthClient.ts"
import { endedPage } from "./pages.ts"

const callback = "/mcp/callback"
const document = "/client-metadata.json"

const ownOrigin = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => `http://${headers["host"] ?? ""}`)

/** Authorization servers come by HTTPS, to a name that they can reach. */
const documentUrl = (origin: string | null): string | null =>
  origin?.startsWith("https:") === true ? `${origin}${document}` : null

const authorize = (origin: string | null) =>
  route(
    Api.authorize,
    "admin",
    ({ params, payload }) =>
      Effect.gen(function* () {
        const redirectUrl = `${origin ?? (yield* ownOrigin)}${callback}`
        const ours = { redirectUrl, clientMetadataUrl: documentUrl(origin) }
        return yield* sealing((yield* McpAuthorizations).begin(params.id, payload, ours))
      }),
    { isMadeAnew: true }
  )

const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(McpAuthorizations, (authorizations) => authorizations.find(caller.workspaceId, params.id))
)

const forget = route(Api.forget, "admin", ({ params }) =>
  Effect.flatMap(McpAuthorizations, (authorizations) => authorizations.forget(params.id))
)

const shortest = (text: string | null) => (text === null ? null : text.slice(0, 8_192))

/** Where people come back to. Whoever has the state that they went away with is let in. */
const comeBack = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const query = new URL(request.url, "http://here").searchParams
  const of = (name: string) => shortest(query.get(name))
  const returned = { code: of("code"), iss: of("iss"), error: of("error"), description: of("error_description") }
  const ended = yield* sealing((yield* McpAuthorizations).end(of("state") ?? "", returned)).pipe(
    Effect.catchTag("SecretSealed", (error) =>
      Effect.as(Effect.logError("A login can't be opened", error), { _tag: "Unknown" } as const)
    ),
    Effect.catchIf(
      (error): error is ApiFailure => error instanceof ApiFailure,
      ({ message }) => Effect.succeed({ _tag: "Refused", detail: message, back: null } as const)
    )
  )
  return endedPage(ended)
})

/** Who we are, for authorization servers that read it instead of having clients register. */
const described = (origin: string, clientId: string) =>
  Effect.succeed(
    HttpServerResponse.jsonUnsafe({
      client_id: clientId,
      client_uri: origin,
      ...clientMetadata(`${origin}${callback}`),
      token_endpoint_auth_method: "none"
    })
  )

const introduction = (origin: string | null) => {
  const clientId = documentUrl(origin)
  if (origin === null || clientId === null) return Layer.empty
  announce("GET", document)
  return HttpRouter.add("GET", document, described(origin, clientId))
}

/** `origin` is where browsers find this server, where that is not the name that a request came by. */
export const routes = (origin: string | null) => {
  announce("GET", callback)
  return Layer.mergeAll(
    authorize(origin),
    retrieve,
    forget,
    HttpRouter.add("GET", callback, comeBack),
    introduction(origin)
  )
}
