import { ApiFailure, forbidden } from "@troupe/domain/api/ApiError"
import type { Actor } from "@troupe/domain/Actor"
import { Clock, Context, Deferred, Effect, Layer, Option, Redacted } from "effect"
import type { Headers } from "effect/http/Headers"
import type { SqlError } from "effect/sql/SqlError"
import { hash } from "node:crypto"
import { consoleSecret } from "../access/Cookie.ts"
import { shownText } from "../runners/ApiError.ts"
import type { Token } from "../runners/TokenRows.ts"
import { Tokens } from "../runners/Tokens.ts"
import { hashOf, type TokenKind } from "../runners/TokenSecret.ts"
import type { Caller } from "./Requests.ts"

/** A key that was revoked opens nothing once this has passed. */
const rememberMs = 1_000
const rememberedMax = 10_000

/** How often those are looked for whose streams are open: five seconds after a revocation none is, also where time is short. */
const checkKeysEveryMs = 1_000

const refused = new ApiFailure({ type: "authentication_error", message: "The API key is missing or not valid" })

/** What opens the API when it is shown in a header. */
const shownKinds = ["api_key", "end_user", "worker", "environment_key", "stream"] as const

/** Who sends requests: by a token in a header, or by a browser's cookie. */
export class Callers extends Context.Service<
  Callers,
  {
    /** A cookie counts where the door let it pass. */
    readonly identify: (headers: Headers) => Effect.Effect<Caller["Service"], ApiFailure | SqlError>
    /** Ends when what these headers show opens nothing any more: looked for once for all who wait for it of one key. */
    readonly revoked: (headers: Headers) => Effect.Effect<void>
    /** Calls once then; what it returns takes that back. */
    readonly onRevoked: (headers: Headers, tell: () => void) => () => void
  }
>()("server/Callers") {
  static readonly layer: Layer.Layer<Callers, never, Tokens> = Layer.effect(
    Callers,
    Effect.suspend(() => make)
  )
}

const actorOf = ({ bound, kind, parentId, tokenId }: Token): Actor => {
  if (bound?.type === "end_user") return { type: "end_user", subject: bound.subject, tokenId }
  return { type: "api_key", id: kind === "console" && parentId !== null ? parentId : tokenId }
}

const callerOf = (token: Token): Caller["Service"] => ({
  workspaceId: token.workspaceId,
  tokenId: token.tokenId,
  kind: token.kind as TokenKind,
  keyId: token.kind === "console" && token.parentId !== null ? token.parentId : token.tokenId,
  bound: token.bound,
  scopes: token.scopes,
  actor: actorOf(token)
})

const make = Effect.gen(function* () {
  const tokens = yield* Tokens
  const clock = yield* Clock.Clock
  // By hash: a secret is kept in no memory longer than its request.
  const remembered = new Map<string, { readonly caller: Caller["Service"]; readonly until: number }>()

  // Those of one key that come at once are told by one look.
  const asking = new Map<string, Deferred.Deferred<Caller["Service"], ApiFailure | SqlError>>()

  const lookUp = (kinds: ReadonlyArray<TokenKind>, shown: Redacted.Redacted) =>
    tokens.authenticate(kinds, Option.some(shown)).pipe(
      Effect.map(callerOf),
      Effect.catchTags({
        TokenRefused: () => Effect.fail(refused),
        WrongTokenKind: (error) => Effect.fail(forbidden(error.message))
      })
    )

  const ask = Effect.fn("Callers.ask")(function* (
    key: string,
    kinds: ReadonlyArray<TokenKind>,
    shown: Redacted.Redacted,
    now: number
  ) {
    const asked = asking.get(key)
    if (asked !== undefined) return yield* Deferred.await(asked)
    const answer = Deferred.makeUnsafe<Caller["Service"], ApiFailure | SqlError>()
    asking.set(key, answer)
    return yield* lookUp(kinds, shown).pipe(
      Effect.tap((caller) =>
        Effect.sync(() => {
          if (remembered.size >= rememberedMax) remembered.clear()
          remembered.set(key, { caller, until: now + rememberMs })
        })
      ),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          asking.delete(key)
          Deferred.doneUnsafe(answer, exit)
        })
      ),
      // Others wait for it, whoever began it.
      Effect.uninterruptible
    )
  })

  const shownBy = (headers: Headers) => {
    const inHeader = shownText(headers)
    const shown = inHeader ?? Option.getOrUndefined(Option.map(consoleSecret(headers), Redacted.value))
    if (shown === undefined) return undefined
    const kinds = inHeader === undefined ? (["console"] as const) : shownKinds
    return { key: hash("sha256", `${kinds[0]}\n${shown}`, "base64"), kinds, shown }
  }

  const identify: Callers["Service"]["identify"] = (headers) =>
    Effect.suspend(() => {
      const found = shownBy(headers)
      if (found === undefined) return Effect.fail(refused)
      const { key, kinds, shown } = found
      const now = clock.currentTimeMillisUnsafe()
      const known = remembered.get(key)
      if (known !== undefined && known.until > now) return Effect.succeed(known.caller)
      remembered.delete(key)
      return ask(key, kinds, Redacted.make(shown), now)
    })

  // Streams are many, and the keys that they were opened with few.
  const streams = new Map<string, { readonly hash: string; readonly tells: Set<() => void> }>()

  const look = Effect.gen(function* () {
    for (const [key, { tells }] of streams) if (tells.size === 0) streams.delete(key)
    if (streams.size === 0) return
    const watched = [...streams]
    const living = yield* tokens.living(watched.map(([, { hash }]) => hash))
    for (const [key, { hash, tells }] of watched) {
      if (living.has(hash)) continue
      remembered.delete(key)
      for (const tell of tells) tell()
    }
  })

  // A database that does not answer now is no reason to end a stream.
  yield* Effect.sleep(checkKeysEveryMs).pipe(
    Effect.andThen(look),
    Effect.catchCause((cause) => Effect.logDebug("Keys of open streams could not be looked for", cause)),
    Effect.forever,
    Effect.forkScoped
  )

  const onRevoked: Callers["Service"]["onRevoked"] = (headers, tell) => {
    const { key, shown } = shownBy(headers) ?? { key: "", shown: "" }
    const known = streams.get(key) ?? { hash: Buffer.from(hashOf(shown)).toString("hex"), tells: new Set() }
    known.tells.add(tell)
    streams.set(key, known)
    return () => known.tells.delete(tell)
  }

  const revoked: Callers["Service"]["revoked"] = (headers) =>
    Effect.callback<void>((resume) => Effect.sync(onRevoked(headers, () => resume(Effect.void))))

  return Callers.of({ identify, onRevoked, revoked })
})
