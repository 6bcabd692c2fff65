import { Effect } from "effect"
import type { PortTaken } from "./address.ts"
import type { HomeLocked, HomeUnusable } from "./Home.ts"
import type { NoLan } from "./lan.ts"
import type { StartFailed } from "./Supervisor.ts"
import { say } from "./Talk.ts"
import { load, UpConfigInvalid } from "./UpConfig.ts"

/** Why an all-in-one start did not come about. */
export type UpFailure = UpConfigInvalid | NoLan | HomeLocked | HomeUnusable | PortTaken | StartFailed

/** What the exit code says. */
export const failureCodes: Readonly<Record<UpFailure["_tag"], number>> = {
  StartFailed: 1,
  UpConfigInvalid: 2,
  NoLan: 2,
  HomeLocked: 3,
  HomeUnusable: 4,
  PortTaken: 5
}

/** Says what is wrong, and makes it the exit code. */
export const told = (work: Effect.Effect<number, UpFailure>): Effect.Effect<number> =>
  Effect.catch(work, (failure) => Effect.as(say(failure.message), failureCodes[failure._tag]))

export const config = Effect.try({
  try: () => load(),
  catch: (cause) =>
    cause instanceof UpConfigInvalid ? cause : new UpConfigInvalid({ what: "The configuration", detail: String(cause) })
})
