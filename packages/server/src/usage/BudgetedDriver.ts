import type { WorkspaceId } from "@troupe/domain/Ids"
import type { AttemptRef, Output } from "@troupe/domain/runner/Attempt"
import type { DayLimit } from "@troupe/domain/workspace/DayLimit"
import { Effect, Layer, Stream } from "effect"
import { SessionLog } from "../runners/SessionLog.ts"
import { AttemptDriver } from "../session/AttemptDriver.ts"
import { DayBudgets } from "./DayBudgets.ts"

const reasonOf = (spent: ReadonlyArray<DayLimit>): string =>
  `budget: the workspace has come up to today's ${[...new Set(spent.map(({ metric }) => metric))].join(", ")}`

/** After these there is something new to compare with the limits, or it is time to look. */
const isMoment = (output: Output): boolean =>
  output._tag === "Contact" ||
  (output._tag === "Frames" && output.frames.some(({ body }) => body._tag === "ModelRequestEnded"))

/**
 * Holds turns to the workspace's day: none is placed once a limit holds, and those that run are stopped before their next
 * request. What is under way is finished, so a day's limit may be overshot by that much.
 */
export const layer = <E, R>(
  driver: Layer.Layer<AttemptDriver, E, R>
): Layer.Layer<AttemptDriver, E, R | DayBudgets | SessionLog> =>
  Layer.effect(
    AttemptDriver,
    Effect.gen(function* () {
      const inner = yield* AttemptDriver
      const budgets = yield* DayBudgets
      const log = yield* SessionLog

      const workspaceOf = (sessionId: AttemptRef["sessionId"]): Effect.Effect<WorkspaceId | null> =>
        Effect.orElseSucceed(
          Effect.map(log.workspace(sessionId), (workspaceId): WorkspaceId | null => workspaceId),
          () => null
        )

      const stopIfSpent = Effect.fnUntraced(function* (attempt: AttemptRef) {
        const workspaceId = yield* workspaceOf(attempt.sessionId)
        if (workspaceId === null) return
        const spent = yield* budgets.spent(workspaceId)
        if (spent === null || spent.length === 0) return
        yield* Effect.ignore(inner.deliver(attempt, { _tag: "Stop", reason: "budget" }))
      })

      /** Looks beside the stream: what comes after is not held up. */
      const watched = <E2>(attempt: AttemptRef, outputs: Stream.Stream<Output, E2>): Stream.Stream<Output, E2> =>
        Stream.unwrap(
          Effect.map(Effect.scope, (scope) =>
            Stream.tap(outputs, (output) =>
              isMoment(output) ? Effect.asVoid(Effect.forkIn(stopIfSpent(attempt), scope)) : Effect.void
            )
          )
        )

      return AttemptDriver.of({
        ...inner,
        place: Effect.fn("BudgetedDriver.place")(function* (request) {
          const workspaceId = yield* workspaceOf(request.sessionId)
          if (workspaceId === null) return yield* inner.place(request)
          const spent = yield* budgets.spent(workspaceId)
          if (spent === null) return { _tag: "Waiting", reason: "the workspace's budget could not be looked up" }
          return spent.length === 0 ? yield* inner.place(request) : { _tag: "Waiting", reason: reasonOf(spent) }
        }),
        placeAtOnce: (request) => {
          const known = log.known(request.sessionId, request.version)
          if (known === null || !budgets.isKnownFree(known.workspaceId)) return null
          return inner.placeAtOnce?.(request) ?? null
        },
        run: (order) => watched(order, inner.run(order)),
        attach: (attempt, afterFrame) => watched(attempt, inner.attach(attempt, afterFrame))
      })
    })
  ).pipe(Layer.provide(driver))
