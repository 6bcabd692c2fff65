import { ApiFailure, forbidden } from "@troupe/domain/api/ApiError"
import { Clock, Context, Effect, Layer, Option, Redacted } from "effect"
import type { Headers } from "effect/http/Headers"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { shownSecret } from "../runners/ApiError.ts"
import { Tokens } from "../runners/Tokens.ts"
import type { Caller } from "./Requests.ts"

/** A key that was revoked opens nothing once this has passed. */
const rememberMs = 1_000
const rememberedMax = 10_000

const refused = new ApiFailure({ type: "authentication_error", message: "The API key is missing or not valid" })

/** Who sends requests, by their API keys. */
export class Callers extends Context.Service<
  Callers,
  {
    readonly identify: (headers: Headers) => Effect.Effect<Caller["Service"], ApiFailure | SqlError>
  }
>()("server/Callers") {
  static readonly layer: Layer.Layer<Callers, never, Tokens> = Layer.effect(
    Callers,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tokens = yield* Tokens
  // By hash: a secret is kept in no memory longer than its request.
  const remembered = new Map<string, { readonly caller: Caller["Service"]; readonly until: number }>()

  const lookUp = Effect.fnUntraced(function* (shown: Option.Option<Redacted.Redacted>) {
    const token = yield* tokens.authenticate("api_key", shown).pipe(
      Effect.catchTags({
        TokenRefused: () => Effect.fail(refused),
        WrongTokenKind: (error) => Effect.fail(forbidden(error.message))
      })
    )
    const { scopes, tokenId, workspaceId } = token
    return { workspaceId, tokenId, scopes, actor: { type: "api_key" as const, id: tokenId } }
  })

  const identify = Effect.fn("Callers.identify")(function* (headers: Headers) {
    const shown = shownSecret(headers)
    if (Option.isNone(shown)) return yield* refused
    const key = createHash("sha256").update(Redacted.value(shown.value)).digest("base64")
    const now = yield* Clock.currentTimeMillis
    const known = remembered.get(key)
    if (known !== undefined && known.until > now) return known.caller
    remembered.delete(key)
    const caller = yield* lookUp(shown)
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(key, { caller, until: now + rememberMs })
    return caller
  })

  return Callers.of({ identify })
})
