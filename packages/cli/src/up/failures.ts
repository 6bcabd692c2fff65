import { Effect } from "effect"
import { Trouble } from "../app/Trouble.ts"
import type { PortTaken } from "./address.ts"
import type { HomeLocked, HomeUnusable } from "./Home.ts"
import type { NoLan } from "./lan.ts"
import type { StartFailed } from "./Supervisor.ts"
import { load, UpConfigInvalid } from "./UpConfig.ts"

/** Why an all-in-one start did not come about. */
export type UpFailure = UpConfigInvalid | NoLan | HomeLocked | HomeUnusable | PortTaken | StartFailed

/** What the exit code says, and what programs are told. */
const kinds = {
  StartFailed: { code: 1, type: "start_failed_error" },
  UpConfigInvalid: { code: 2, type: "configuration_error" },
  NoLan: { code: 2, type: "configuration_error" },
  HomeLocked: { code: 3, type: "home_locked_error" },
  HomeUnusable: { code: 4, type: "home_unusable_error" },
  PortTaken: { code: 5, type: "port_taken_error" }
} as const satisfies Readonly<Record<UpFailure["_tag"], { readonly code: number; readonly type: string }>>

export const troubleOfStart = (tag: UpFailure["_tag"], what: string, advice: string | null = null): Trouble =>
  new Trouble({ what, advice, ...kinds[tag] })

/** Of a start in another process only its words and its exit code are known. */
export const troubleOfCode = (code: number, what: string): Trouble => {
  const { type } = Object.values(kinds).find((kind) => kind.code === code) ?? kinds.StartFailed
  return new Trouble({ what, advice: null, code, type })
}

export const troubleOf = ({ _tag, message }: UpFailure): Trouble => troubleOfStart(_tag, message)

export const config = Effect.try({
  try: () => load(),
  catch: (cause) =>
    cause instanceof UpConfigInvalid ? cause : new UpConfigInvalid({ what: "The configuration", detail: String(cause) })
})
