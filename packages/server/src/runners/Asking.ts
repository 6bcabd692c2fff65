import type { Answer, Ask } from "@troupe/domain/runner/Asks"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { canonical } from "@troupe/domain/CanonicalJson"
import { AskJournal } from "./AskJournal.ts"
import { Assignments } from "./Assignments.ts"
import type { RunnerLink } from "./RunnerLinks.ts"
import { SecretSource } from "./SecretSource.ts"
import { Tickets } from "./Tickets.ts"
import { ToolHost } from "./ToolHost.ts"

/** How many asks of one link are worked on at a time. */
const askedAtOnceMax = 32

const refused = (code: string, message: string): Answer => ({ _tag: "Refused", error: { code, message } })

/** Answers what runners ask for. */
export class Asking extends Context.Service<
  Asking,
  { /** For as long as the link lives. */ readonly serve: (link: RunnerLink) => Effect.Effect<void> }
>()("server/Asking") {
  static readonly layer: Layer.Layer<Asking, never, Tickets | ToolHost | SecretSource | AskJournal | Assignments> =
    Layer.effect(
      Asking,
      Effect.suspend(() => make)
    )
}

const make = Effect.gen(function* () {
  const tickets = yield* Tickets
  const tools = yield* ToolHost
  const secrets = yield* SecretSource
  const journal = yield* AskJournal
  const assignments = yield* Assignments

  const notAssigned = (link: RunnerLink, { askId, attemptId, body, sessionId }: Ask, message: string) =>
    Effect.logWarning("An ask of a runner was refused").pipe(
      Effect.annotateLogs({
        runnerId: link.identity.runnerId,
        sessionId,
        attemptId,
        askId,
        ask: body._tag,
        reason: message
      }),
      Effect.as(refused("not_assigned", message))
    )

  const answer = (link: RunnerLink, ask: Ask): Effect.Effect<Answer> => {
    const { runnerId, workspaceId } = link.identity
    const { attemptId, sessionId, ticket } = ask
    const opened = tickets.check({ workspaceId, runnerId }, ticket)
    if (Option.isNone(opened) || opened.value !== sessionId) {
      return notAssigned(link, ask, `Session ${sessionId} was not assigned to runner ${runnerId}`)
    }
    return Effect.matchEffect(assignments.isWorking(sessionId, attemptId, runnerId), {
      onFailure: () => Effect.succeed(refused("unavailable", "The session can't be asked now")),
      onSuccess: (isWorking) =>
        isWorking
          ? answerOf(link, ask)
          : notAssigned(link, ask, `Attempt ${attemptId} of session ${sessionId} does not work on runner ${runnerId}`)
    })
  }

  const answerOf = (link: RunnerLink, ask: Ask): Effect.Effect<Answer> => {
    const { runnerId, workspaceId } = link.identity
    const { attemptId, body, sessionId, threadId } = ask
    if (body._tag === "RefreshSecret") {
      return secrets.refresh({ workspaceId, sessionId, threadId }, body.name, body.version).pipe(
        Effect.map((secret): Answer => ({ _tag: "Secret", secret })),
        Effect.catchTag("SecretRefused", (error) => Effect.succeed(refused(error.code, error.message)))
      )
    }
    const { callId, input, tool } = body
    return journal.once(
      { runnerId, askId: ask.askId, body: canonical({ sessionId, threadId, attemptId, body }) },
      tools.call({ workspaceId, sessionId, threadId, attemptId, callId, tool, input })
    )
  }

  const serve = Effect.fnUntraced(
    function* (link: RunnerLink) {
      const { connection, identity } = link
      const { runnerId } = identity
      yield* connection.stream(runnerId, "Asks", undefined).pipe(
        Stream.mapEffect(
          (ask) =>
            answer(link, ask).pipe(
              Effect.catchCause((cause) =>
                Effect.logError("An ask of a runner broke", cause).pipe(
                  Effect.annotateLogs({ runnerId, askId: ask.askId, sessionId: ask.sessionId }),
                  Effect.as(refused("broken", "The node broke on it"))
                )
              ),
              Effect.flatMap((answer) => connection.call(runnerId, "AnswerAsk", { askId: ask.askId, answer })),
              Effect.ignore
            ),
          { concurrency: askedAtOnceMax, unordered: true }
        ),
        Stream.runDrain
      )
    },
    (effect) => Effect.ignore(effect)
  )

  return Asking.of({ serve })
})
