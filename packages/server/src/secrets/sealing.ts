import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Effect } from "effect"
import type { MasterKeyUnusable } from "./MasterKeys.ts"

/** Where this node can't seal secrets, it says so, and its operator reads why in the log. */
export const sealing = <A, E, R>(
  effect: Effect.Effect<A, E | MasterKeyUnusable, R>
): Effect.Effect<A, Exclude<E, MasterKeyUnusable> | ApiFailure, R> =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E | MasterKeyUnusable, MasterKeyUnusable> =>
      (error as { readonly _tag?: string })._tag === "MasterKeyUnusable",
    (error) =>
      Effect.andThen(
        Effect.logError("Secrets can't be stored", error),
        Effect.fail(new ApiFailure({ type: "api_error", message: "This node has no key to store secrets with" }))
      )
  ) as never
