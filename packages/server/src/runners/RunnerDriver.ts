import type { RunnerId } from "@troupe/domain/Ids"
import { AttemptGone, type AttemptRef, type Output, RunnerAway } from "@troupe/domain/runner/Attempt"
import { Clock, Effect, Layer, Stream } from "effect"
import { AttemptDriver, type AttemptOrder } from "../session/AttemptDriver.ts"
import type { RunnerFault } from "./Calls.ts"
import { Placements } from "./Placements.ts"
import { Reach } from "./Reach.ts"
import { type RequestTooLarge, RunRequests } from "./RunRequests.ts"
import { Tickets } from "./Tickets.ts"

/** A runner that lives answers these at once. */
const answerWithinMs = 10_000
/** To end what runs and to remove what may be many files. */
const takenAwayWithinMs = 60_000

const gone =
  ({ attemptId, runnerId, sessionId }: AttemptRef) =>
  (fault: RunnerFault) =>
    Effect.as(
      Effect.logError("A runner broke on an attempt", fault).pipe(
        Effect.annotateLogs({ sessionId, attemptId, runnerId })
      ),
      new AttemptGone({ attemptId, reason: fault.message })
    ).pipe(Effect.flip, Stream.fromEffect)

/** The attempt ends before it began, and its turn with it: another runner would not take it either. */
const tooLarge = (error: RequestTooLarge): Stream.Stream<Output> =>
  Stream.fromEffect(
    Effect.map(Clock.currentTimeMillis, (at): Output => ({
      _tag: "Frames",
      frames: [
        {
          n: 1,
          at,
          body: {
            _tag: "Failed",
            error: { code: "history_too_large", message: error.message },
            retryable: false,
            retryAfterMs: null
          }
        }
      ]
    }))
  )

/** Has attempts done by the runners that have dialled in, to whichever node. */
export const layer: Layer.Layer<AttemptDriver, never, Reach | Placements | RunRequests | Tickets> = Layer.effect(
  AttemptDriver,
  Effect.gen(function* () {
    const reach = yield* Reach
    const placements = yield* Placements
    const requests = yield* RunRequests
    const tickets = yield* Tickets

    const promptly = <A, E>(runnerId: string, effect: Effect.Effect<A, E>) =>
      Effect.timeoutOrElse(effect, {
        duration: answerWithinMs,
        orElse: () => Effect.fail(new RunnerAway({ runnerId }))
      })

    const begin = (order: AttemptOrder) =>
      Stream.unwrap(
        Effect.map(requests.build(order), (request) => {
          placements.begun(order.sessionId, order.threadId)
          return reach.stream(order.runnerId, "Run", request).pipe(Stream.catchTag("RunnerFault", gone(order)))
        })
      )

    return AttemptDriver.of({
      place: placements.place,
      placeAtOnce: placements.placeAtHome,
      run: (order) =>
        begin(order).pipe(
          Stream.catchTag("RequestTooLarge", tooLarge),
          Stream.catchTag("SessionUnreadable", ({ message }) =>
            Stream.fail(new AttemptGone({ attemptId: order.attemptId, reason: message }))
          ),
          // Nothing was begun: it is tried again like a runner that is away.
          Stream.catchTag("StoreUnavailable", () => Stream.fail(new RunnerAway({ runnerId: order.runnerId })))
        ),
      attach: (attempt, afterFrame) =>
        reach
          .stream(attempt.runnerId, "Attach", { attempt, afterFrame })
          .pipe(Stream.catchTag("RunnerFault", gone(attempt))),
      // Nobody answers it, and a link that takes nothing any more is ended by its pings.
      acknowledge: (attempt, heard) =>
        Effect.ignore(reach.call(attempt.runnerId, "Acknowledge", { attempt, ...heard })),
      deliver: (attempt, delivery) =>
        promptly(attempt.runnerId, reach.call(attempt.runnerId, "Deliver", { attempt, delivery })).pipe(
          Effect.catchTag("RunnerFault", ({ runnerId }) => Effect.fail(new RunnerAway({ runnerId })))
        ),
      revoke: (attempt) =>
        Effect.ignore(promptly(attempt.runnerId, reach.call(attempt.runnerId, "Revoke", { attempt }))),
      takeAway: ({ epoch, runnerId, sessionId, workspaceId }) => {
        const ticket = tickets.issue({ workspaceId, sessionId, runnerId: runnerId as RunnerId })
        const place = { sessionId, workspaceId, epoch, ticket }
        return reach.call(runnerId, "Destroy", { place, reason: "the session was deleted" }).pipe(
          Effect.timeout(takenAwayWithinMs),
          Effect.catch(({ message }) =>
            Effect.logInfo("A deleted session's place was not taken away yet").pipe(
              Effect.annotateLogs({ sessionId, runnerId, message })
            )
          )
        )
      }
    })
  })
)
