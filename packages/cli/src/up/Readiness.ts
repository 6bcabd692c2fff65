import { Effect, Schema } from "effect"

export type Readiness =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Unready"; readonly reason: string }
  | { readonly _tag: "Silent" }

const Body = Schema.Struct({ reason: Schema.optionalKey(Schema.String) })
const decode = Schema.decodeUnknownSync(Body)

/** What a node says of itself at `/readyz`. */
export const readiness = (url: string): Effect.Effect<Readiness> =>
  Effect.tryPromise(async (signal): Promise<Readiness> => {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) })
    const { reason = "unknown" } = decode(await response.json())
    return response.status === 200 ? { _tag: "Ready" } : { _tag: "Unready", reason }
  }).pipe(Effect.catch(() => Effect.succeed<Readiness>({ _tag: "Silent" })))

const askEveryMs = 40

/** Waits until a node says what is waited for. */
export const until = Effect.fnUntraced(function* (url: string, wanted: (found: Readiness) => boolean) {
  while (!wanted(yield* readiness(url))) yield* Effect.sleep(askEveryMs)
})
