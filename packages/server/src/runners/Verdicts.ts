import type { JournaledAttempt, Verdict } from "@troupe/domain/runner/Hello"
import type { SessionState } from "@troupe/domain/session/SessionState"
import { Context, Effect, Layer, Option } from "effect"
import { EventStore } from "../log/EventStore.ts"
import { Sessions } from "../session/Sessions.ts"
import type { RunnerLink } from "./RunnerLinks.ts"
import type { RunnerIdentity } from "./RunnerRegistry.ts"

/** What the log says of an attempt: null where it does not say now. */
type Judgement = Verdict["verdict"] | null

const againMs = 1_000
const askedAtOnceMax = 8

const worksOn = (state: SessionState, runner: RunnerIdentity, { attemptId }: JournaledAttempt): boolean =>
  state._tag === "Open" &&
  state.threads.some(
    ({ turn }) =>
      turn?.phase._tag === "Working" && turn.phase.attemptId === attemptId && turn.phase.runnerId === runner.runnerId
  )

/**
 * Tells a runner what becomes of the attempts in its journal. Asking a session loads it, and its owner then attaches to
 * what goes on; what ended while nobody could tell the runner is ended there.
 */
export class Verdicts extends Context.Service<
  Verdicts,
  {
    /** Until each attempt has its verdict. */
    readonly settle: (link: RunnerLink, attempts: ReadonlyArray<JournaledAttempt>) => Effect.Effect<void>
  }
>()("server/Verdicts") {
  static readonly layer: Layer.Layer<Verdicts, never, Sessions | EventStore> = Layer.effect(
    Verdicts,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sessions = yield* Sessions
  const store = yield* EventStore

  /**
   * An attempt is in the log before its runner hears of it, so one that its session does not know has ended, or never was.
   * Only the whole log says so: an owner that was overtaken without knowing it has not seen the newest.
   */
  const judge = Effect.fnUntraced(
    function* (runner: RunnerIdentity, attempt: JournaledAttempt) {
      const { sessionId, working } = attempt
      const known = yield* store.head(sessionId)
      // Sessions of others are not even loaded.
      if (Option.isNone(known) || known.value.workspaceId !== runner.workspaceId) return "discard"
      const { state, version } = yield* sessions.current(sessionId)
      if (worksOn(state, runner, attempt)) return working ? "resume" : "drain"
      const head = yield* store.head(sessionId)
      return Option.isNone(head) || head.value.version === version ? "discard" : null
    },
    Effect.orElseSucceed((): Judgement => null)
  )

  const settle = Effect.fn("Verdicts.settle")(
    function* (link: RunnerLink, attempts: ReadonlyArray<JournaledAttempt>) {
      const { connection, identity } = link
      const { runnerId } = identity
      let open = attempts
      while (open.length > 0) {
        const judged = yield* Effect.forEach(open, (attempt) => judge(identity, attempt), {
          concurrency: askedAtOnceMax
        })
        const verdicts = open.flatMap(({ attemptId }, index): ReadonlyArray<Verdict> => {
          const verdict = judged[index]!
          return verdict === null ? [] : [{ attemptId, verdict }]
        })
        if (verdicts.length > 0) {
          yield* connection.call(runnerId, "Settle", { verdicts })
          yield* Effect.logInfo("Settled a runner's attempts").pipe(
            Effect.annotateLogs({ runnerId, verdicts: verdicts.map((one) => `${one.attemptId} ${one.verdict}`) })
          )
        }
        open = open.filter((_, index) => judged[index] === null)
        if (open.length > 0) yield* Effect.sleep(againMs)
      }
    },
    (effect) => Effect.ignore(effect)
  )

  return Verdicts.of({ settle })
})
