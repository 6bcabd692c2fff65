import { Effect, Schema } from "effect"
import { Admission } from "./Admission.ts"
import { backoff } from "./backoff.ts"
import { Identity } from "./Identity.ts"
import { type LinkTiming, serve } from "./Link.ts"
import type { Self } from "./RunnerHandlers.ts"

/** The credential does not open the door, and never did since this process began. */
export class CredentialRefused extends Schema.TaggedError<CredentialRefused>()("CredentialRefused", {
  server: Schema.String
}) {
  override get message() {
    return `${this.server} does not know this runner's credential: it was revoked. Register it again with a new token`
  }
}

export interface ConnectionOptions {
  readonly servers: ReadonlyArray<string>
  readonly self: Self
  readonly timing: LinkTiming
  /** A connection that lasted so long was a good one: the next failure begins with short waits again. */
  readonly stableMs: number
}

/** Revoked, of a version that is not spoken, or replaced: none of it changes soon. */
const revoked = 4401
const slowing: ReadonlySet<number> = new Set([revoked, 4406, 4409])
const nodeStops = 1012

/** Keeps this runner connected to some node, for as long as it runs. */
export const run = Effect.fn("Connection.run")(function* ({ self, servers, stableMs, timing }: ConnectionOptions) {
  const identity = yield* Identity
  const admission = yield* Admission
  const pause = backoff()
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  let accepted = false
  for (let next = 0; ; next++) {
    const server = servers[next % servers.length]!
    const log = (about: object) => Effect.annotateLogs({ server, ...about })
    const onGreeted = (node: string) => {
      accepted = true
      admission.heard(true)
      fork(Effect.logInfo("Connected").pipe(log({ node })))
    }
    const result = yield* Effect.result(serve(server, identity.credential, self, timing, onGreeted))
    if (result._tag === "Failure") {
      const { detail, status } = result.failure
      if (status === 401 && !accepted) return yield* new CredentialRefused({ server })
      if (status === 401) {
        admission.heard(false)
        pause.slowDown()
      }
      yield* Effect.logWarning(status === 401 ? "The credential was revoked" : "Could not connect").pipe(
        log({ detail })
      )
    } else {
      const { code, greeted, lastedMs, reason } = result.success
      yield* Effect.logWarning("The connection ended").pipe(log({ code, reason, lastedMs }))
      if (greeted && lastedMs >= stableMs) pause.reset()
      if (code === revoked) admission.heard(false)
      if (slowing.has(code)) pause.slowDown()
      // It asked to be left alone: another node takes this runner at once.
      if (code === nodeStops && greeted) continue
    }
    yield* pause.wait
  }
})
