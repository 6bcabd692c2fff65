import { ByteSize, Effect, Redacted, Schema } from "effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { apiError, shownSecret } from "./ApiError.ts"
import { refusing } from "./RunnerAuth.ts"
import { RunnerRegistry } from "./RunnerRegistry.ts"
import { Tokens } from "./Tokens.ts"

const bodyBytesMax = 65_536
/** No controls, since names stand in logs and sentences. */
const Name = Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,128}$/u))

const Registration = Schema.Struct({
  name: Name,
  labels: Schema.optionalKey(Schema.Array(Name).check(Schema.isMaxLength(64)))
})

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Registration))

const register = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const tokens = yield* Tokens
  const registry = yield* RunnerRegistry
  const token = yield* tokens.authenticate("runner_registration", shownSecret(request.headers))
  const body = yield* request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(bodyBytesMax)),
    Effect.flatMap(decode),
    Effect.option
  )
  if (body._tag === "None") {
    return yield* apiError(
      "invalid_request_error",
      `The body is {"name": string, "labels": [string, …]} with names of 1 to 128 characters and at most 64 labels`
    )
  }
  const { labels = [], name } = body.value
  const { credential, runner } = yield* registry.enrol(token, { name, labels })
  yield* Effect.logInfo("A runner registered").pipe(
    Effect.annotateLogs({ runnerId: runner.runnerId, workspaceId: runner.workspaceId, name })
  )
  return HttpServerResponse.jsonUnsafe({
    runner_id: runner.runnerId,
    workspace_id: runner.workspaceId,
    credential: Redacted.value(credential)
  })
}).pipe(refusing)

/** Where a registration token is exchanged for an identity. */
export const routes = HttpRouter.add("POST", "/v1/runners/register", register)
