import { ApiFailure } from "@troupe/domain/api/ApiError"
import type { TokenId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Option, Redacted } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Caller } from "../gateway/Requests.ts"
import type { Token } from "../runners/TokenRows.ts"
import { Tokens } from "../runners/Tokens.ts"

const linkMs = 600_000
const sessionMs = 14 * 86_400_000

const refused = new ApiFailure({
  type: "authentication_error",
  message: "This login link was used before, is too old, or never was one"
})
const wrongKey = new ApiFailure({ type: "authentication_error", message: "The API key is not valid" })

interface Made {
  readonly tokenId: TokenId
  readonly secret: Redacted.Redacted
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** How browsers come in: each login is a token of its own, given for an API key, with its scopes. */
export class Logins extends Context.Service<
  Logins,
  {
    /** What logs one browser in as the caller's key. */
    readonly link: (caller: Caller["Service"]) => Effect.Effect<Made, ApiFailure | SqlError>
    readonly withLink: (secret: Redacted.Redacted) => Effect.Effect<Made, ApiFailure | SqlError>
    readonly withKey: (secret: Redacted.Redacted) => Effect.Effect<Made, ApiFailure | SqlError>
  }
>()("server/Logins") {
  static readonly layer: Layer.Layer<Logins, never, Tokens> = Layer.effect(
    Logins,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tokens = yield* Tokens

  const derive = Effect.fnUntraced(function* (kind: "login" | "console", key: Token, forMs: number) {
    const { scopes, tokenId: parentId, workspaceId } = key
    const expiresAt = (yield* Clock.currentTimeMillis) + forMs
    const actor = { type: "api_key" as const, id: parentId }
    const made = yield* tokens
      .derive({ workspaceId, kind, name: key.name, labels: [], scopes, parentId, expiresAt }, actor)
      .pipe(Effect.catchTag("ParentRevoked", () => Effect.fail(refused)))
    const end = key.expiresAt === null ? expiresAt : Math.min(expiresAt, key.expiresAt)
    return { ...made, expiresAt: end }
  })

  const keyOf = Effect.fnUntraced(function* ({ workspaceId }: Pick<Token, "workspaceId">, keyId: TokenId) {
    const key = yield* tokens.find(workspaceId, keyId)
    return Option.isSome(key) ? key.value : yield* refused
  })

  const link: Logins["Service"]["link"] = Effect.fn("Logins.link")(function* (caller) {
    return yield* derive("login", yield* keyOf(caller, caller.keyId), linkMs)
  })

  const withLink: Logins["Service"]["withLink"] = Effect.fn("Logins.withLink")(function* (secret) {
    const used = yield* tokens.redeem("login", secret).pipe(Effect.catchTag("TokenRefused", () => Effect.fail(refused)))
    if (used.parentId === null) return yield* refused
    return yield* derive("console", yield* keyOf(used, used.parentId), sessionMs)
  })

  const withKey: Logins["Service"]["withKey"] = Effect.fn("Logins.withKey")(function* (secret) {
    const key = yield* tokens
      .authenticate("api_key", Option.some(secret))
      .pipe(
        Effect.catchTags({ TokenRefused: () => Effect.fail(wrongKey), WrongTokenKind: () => Effect.fail(wrongKey) })
      )
    return yield* derive("console", key, sessionMs)
  })

  return Logins.of({ link, withLink, withKey })
})
