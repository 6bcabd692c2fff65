import type { FrameBody } from "@troupe/domain/session/Frame"
import * as Tracing from "@troupe/domain/telemetry/Tracing"
import { Cause, Clock, Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import type { HarnessEnd } from "../harness/Harness.ts"
import { Harnesses } from "../harness/Harnesses.ts"
import { Spending } from "../harness/Spending.ts"
import type { JournaledRequest } from "../journal/JournaledRequest.ts"
import { BlobClient } from "../link/BlobClient.ts"
import { agentSpan } from "../telemetry/spans.ts"
import { askPeople } from "./askPeople.ts"
import { AskDesk } from "./AskDesk.ts"
import { keepBeside } from "./keepBeside.ts"
import type { Scrubber } from "../secrets/Scrubber.ts"
import type { JournalFull } from "./AttemptFrames.ts"
import { type AttemptContext, type AttemptHindered, AttemptToolsFactory } from "./AttemptTools.ts"
import type { LiveAttempt } from "./LiveAttempt.ts"

/** The beginning of what a span may hold of a conversation. */
const contentMax = 65_536

/** Whether spans may hold what models are told and say. */
export const TracingContent = Context.Reference<{ readonly hasContent: boolean }>("runner/TracingContent", {
  defaultValue: () => ({ hasContent: false })
})

/** Has a harness work on an attempt, and says how that ended as a last frame. */
export class AttemptEngine extends Context.Service<
  AttemptEngine,
  { readonly work: (attempt: LiveAttempt, request: JournaledRequest) => Effect.Effect<FrameBody> }
>()("runner/AttemptEngine") {
  static readonly layer = Layer.effect(
    AttemptEngine,
    Effect.gen(function* () {
      const harnesses = yield* Harnesses
      const factory = yield* AttemptToolsFactory
      const desk = yield* AskDesk
      const blobs = yield* BlobClient
      const clock = yield* Clock.Clock

      const { hasContent } = yield* TracingContent
      /** What spans may hold of the words of this attempt: nothing, or all but its secrets. */
      const withContent = (scrubber: Scrubber) =>
        hasContent
          ? Effect.provideService(Tracing.SpanContent, (value: unknown) =>
              scrubber.text(JSON.stringify(value)).slice(0, contentMax)
            )
          : <A, E, R>(work: Effect.Effect<A, E, R>) => work

      const drive = Effect.fnUntraced(function* (attempt: LiveAttempt, request: JournaledRequest) {
        const harness = harnesses.all.find(({ name }) => name === request.agent.harness)
        if (harness === undefined) return unknownHarness(request.agent.harness)
        const { attemptId, sessionId, threadId, ticket } = request
        attempt.grant(request.grants)
        const ask: AttemptContext["ask"] = (body) =>
          desk.ask({ askId: randomUUID(), sessionId, threadId, attemptId, ticket, body })
        const { scrubber } = attempt
        const spending = new Spending({ request, now: () => clock.currentTimeMillisUnsafe() })
        const frames = spending.counting(attempt.frames)
        const keep = keepBeside({ blobs, ticket, scrubber, frames })
        const context: AttemptContext = {
          request,
          frames: request.agent.keepModelRequests === true ? { ...frames, keep } : frames,
          inbox: attempt.inbox.forHarness(frames),
          spending,
          secret: (name) => Effect.sync(() => attempt.secret(name)),
          scrubber,
          askPeople: askPeople(frames, attempt.answers),
          isGranted: (key) => attempt.grants.has(key),
          blob: ({ sha256 }) =>
            Effect.catch(blobs.get(ticket, sha256), ({ message }) =>
              Effect.as(Effect.logWarning("A blob could not be had").pipe(Effect.annotateLogs({ message })), null)
            ),
          ask,
          refreshSecret: Effect.fnUntraced(function* (name) {
            const answer = yield* ask({ _tag: "RefreshSecret", name, version: attempt.versionOf(name) })
            if (answer._tag !== "Secret") return null
            attempt.learn(answer.secret)
            return attempt.secret(name)
          })
        }
        const tools = yield* factory.open(context)
        const end = yield* harness.run({ ...context, tools: tools.calls })
        yield* tools.atEnd(end)
        // An end that is told follows all that was said before it.
        yield* attempt.frames.written
        return end
      }, Effect.scoped)

      return AttemptEngine.of({
        work: (attempt, request) =>
          drive(attempt, request).pipe(
            Effect.catchTags({
              JournalFull: (full) => Effect.succeed(journalFull(full)),
              AttemptHindered: (hindered) => Effect.succeed(notBegun(hindered))
            }),
            Effect.catchDefect((defect) => crashed(attempt, defect)),
            agentSpan(request),
            withContent(attempt.scrubber)
          )
      })
    })
  )
}

const failed = (code: string, message: string, retryable: boolean): HarnessEnd => ({
  _tag: "Failed",
  error: { code, message },
  retryable,
  retryAfterMs: null
})

const unknownHarness = (name: string) => failed("harness_unknown", `This runner has no harness ${name}`, false)

/** Another runner, or this one later, may have room. */
const journalFull = (full: JournalFull) => failed("journal_full", full.message, true)

const notBegun = ({ code, detail, retryable }: AttemptHindered) => failed(code, detail, retryable)

const crashed = Effect.fnUntraced(function* (attempt: LiveAttempt, defect: unknown) {
  // What broke may quote anything: it is for the log of this host, without the attempt's secrets.
  const trace = attempt.scrubber.text(Cause.pretty(Cause.die(defect)))
  yield* Effect.logError("A harness crashed").pipe(Effect.annotateLogs({ attemptId: attempt.attemptId, trace }))
  return failed("harness_crashed", "The harness crashed. The runner's log says where", true)
})
