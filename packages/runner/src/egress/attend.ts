import { Cause, Clock, Effect, Exit } from "effect"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { type EgressProblem, outcomeOf, statusOf } from "./answers.ts"
import { count } from "./EgressMetrics.ts"
import type { Draft, EgressRecord } from "./EgressRecord.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import type { SandboxEgress } from "./SandboxEgress.ts"

/** Something a sandbox asked for. */
export interface Errand {
  readonly kind: EgressRecord["kind"]
  /** As far as it could be read. */
  readonly asked: Endpoint | undefined
  readonly method: string | null
  /** Within a connection that counts already. */
  readonly isNested: boolean
  readonly work: (draft: Draft) => Effect.Effect<void, EgressProblem>
  /** Tells the program inside. */
  readonly answer: (problem: EgressProblem) => void
  /** Ends the connection: nothing can be told any more. */
  readonly cut: () => void
}

const draftOf = ({ sandboxId, sessionId }: SandboxEgress, { asked, kind, method }: Errand): Draft => ({
  sessionId,
  sandboxId,
  kind,
  method,
  status: null,
  host: asked?.host ?? "",
  port: asked?.port ?? 0,
  address: null,
  bytesUp: 0,
  bytesDown: 0,
  startedAtMs: 0,
  durationMs: 0,
  outcome: { _tag: "Forwarded" }
})

/** Does errands: bounded in number, on record when they are over, and without a failure that gets out. */
export const attending = (egress: SandboxEgress): ((errand: Errand) => void) => {
  const { connectionsMax } = egress.limits
  let atWork = 0

  const tooMany = ({ asked }: Errand) =>
    new EgressRefused({
      code: "too_many_connections",
      host: asked?.host ?? "",
      port: asked?.port ?? 0,
      detail: `this sandbox has ${connectionsMax} connections already`
    })

  const record = Effect.fnUntraced(function* (draft: Draft) {
    draft.durationMs = (yield* Clock.currentTimeMillis) - draft.startedAtMs
    yield* count(draft)
    yield* egress.log({ ...draft })
  })

  const attend = Effect.fnUntraced(function* (errand: Errand, isTooMany: boolean) {
    const draft = draftOf(egress, errand)
    draft.startedAtMs = yield* Clock.currentTimeMillis
    const work: Effect.Effect<void, EgressProblem> = isTooMany ? Effect.fail(tooMany(errand)) : errand.work(draft)
    const exit = yield* Effect.exit(
      Effect.catch(Effect.interruptible(work), (problem) =>
        Effect.sync(() => {
          draft.outcome = outcomeOf(problem)
          draft.status ??= statusOf(problem)
          errand.answer(problem)
        })
      )
    )
    if (Exit.isFailure(exit)) {
      errand.cut()
      const isStopped = Cause.hasInterruptsOnly(exit.cause)
      draft.outcome = isStopped ? { _tag: "Stopped" } : { _tag: "Failed", reason: "defect" }
      if (!isStopped) yield* Effect.logError("The egress proxy failed at a request", exit.cause)
    }
    yield* record(draft)
  })

  return (errand) => {
    const isTooMany = !errand.isNested && atWork >= connectionsMax
    if (!errand.isNested) atWork++
    egress.run(
      attend(errand, isTooMany).pipe(
        Effect.uninterruptible,
        Effect.catchCause((cause) => Effect.logError("A record of egress could not be kept", cause)),
        Effect.ensuring(
          Effect.sync(() => {
            if (!errand.isNested) atWork--
          })
        )
      )
    )
  }
}
