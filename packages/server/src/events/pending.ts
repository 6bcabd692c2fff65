import { contentOut } from "@troupe/domain/api/compat/content"
import type { CompatEvent } from "@troupe/domain/api/Events"
import type { ThreadId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { type Open, stateOf, unreadableCode } from "../sessions/SessionCalls.ts"
import type { SessionView } from "../sessions/SessionView.ts"

type Said = { readonly inputId: string; readonly content: Parameters<typeof contentOut>[0] }

const saidBy =
  (type: "user.message" | "system.message") =>
  ({ content, inputId }: Said): CompatEvent => ({ id: inputId, type, content: contentOut(content), processed_at: null })

const waiting = (state: Open, shown: ThreadId): ReadonlyArray<CompatEvent> => {
  const thread = state.threads.find(({ threadId }) => threadId === shown)
  if (thread === undefined) return []
  const steers = thread.turn?.steers ?? []
  const interrupts = thread.turn?.interrupt?.inputIds ?? []
  const inputs = [
    ...interrupts.map((id) => ({ id, type: "user.interrupt", processed_at: null })),
    ...[...steers, ...thread.inbox, ...thread.queue]
      .filter(({ from }) => from === undefined)
      .map(saidBy("user.message"))
  ]
  const behind = (id: string) => thread.systemMessages.filter(({ follows }) => follows === id)
  return inputs.flatMap((input) => [input, ...behind(input.id).map(saidBy("system.message"))])
}

/** What clients have sent and the session has not taken up yet. A session at rest has nothing, and is not woken for it. */
export const pendingOf = Effect.fn("pendingOf")(function* ({ around, resting, session }: SessionView) {
  if (resting) return []
  const state = yield* stateOf(session.id).pipe(
    // What is in the log is shown all the same.
    Effect.catchIf(
      ({ code }) => code === unreadableCode,
      () => Effect.succeed(null)
    )
  )
  return state === null ? [] : waiting(state, around.primary)
})
