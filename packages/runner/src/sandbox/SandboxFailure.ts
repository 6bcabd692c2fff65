import { Effect } from "effect"
import { SandboxError, type SandboxTrouble } from "./Sandbox.ts"

type Trouble = typeof SandboxTrouble.Type

/** The error of one backend: every failure of it says which backend it was. */
export const failure =
  (backend: string) =>
  (reason: Trouble, cause?: unknown): SandboxError =>
    new SandboxError(cause === undefined ? { backend, reason } : { backend, reason, cause })

const detailOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

/** Work on the host that fails with what the host said. */
export const attempt = <A>(backend: string, what: string, work: () => A): Effect.Effect<A, SandboxError> =>
  Effect.try({
    try: work,
    catch: (cause) => failure(backend)({ _tag: "Failed", detail: `${what}: ${detailOf(cause)}` }, cause)
  })
