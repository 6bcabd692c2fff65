import type { queue as events } from "../events/turns.ts"
import type { ThreadId } from "../../Ids.ts"
import type { OpenSession, SystemMessage, Thread } from "../SessionState.ts"
import { type Changes, onFrame, onThread } from "./parts.ts"

const onQueue = (
  session: OpenSession,
  event: { readonly threadId: ThreadId; readonly queueVersion: number },
  change: (queue: Thread["queue"]) => Thread["queue"]
): OpenSession =>
  onThread(session, event.threadId, (thread) => ({
    ...thread,
    queue: change(thread.queue),
    queueVersion: event.queueVersion
  }))

const withoutSystem = (thread: Thread, gone: (one: SystemMessage) => boolean): Thread =>
  thread.systemMessages.some(gone)
    ? { ...thread, systemMessages: thread.systemMessages.filter((one) => !gone(one)) }
    : thread

export const queue: Changes<keyof typeof events> = {
  MessageReceived: (session, { content, inputId, threadId, turnId }) =>
    onThread(session, threadId, (thread) => ({
      ...thread,
      inbox: [...thread.inbox, { inputId, turnId, content, overrides: {} }]
    })),
  SystemMessageQueued: (session, { content, follows, inputId, threadId }) =>
    onThread(session, threadId, (thread) => ({
      ...thread,
      systemMessages: [...thread.systemMessages, { inputId, follows, content }]
    })),
  SystemMessageReceived: (session, { at, inputId, threadId }) =>
    onThread({ ...session, activeAt: at }, threadId, (thread) =>
      withoutSystem(thread, (one) => one.inputId === inputId)
    ),
  TurnQueued: (session, { inputId, needsApproval, overrides, place, queueVersion, threadId, turnId }) =>
    onThread(session, threadId, (thread) => {
      const message = thread.inbox.find((one) => one.inputId === inputId)
      if (message === undefined) return thread
      const turn = { ...message, turnId, overrides, needsApproval }
      return {
        ...thread,
        inbox: thread.inbox.filter((one) => one !== message),
        queue: place === "back" ? [...thread.queue, turn] : [turn, ...thread.queue],
        queueVersion
      }
    }),
  TurnEdited: (session, event) =>
    onQueue(session, event, (queue) =>
      queue.map((turn) =>
        turn.turnId === event.turnId
          ? { ...turn, content: event.content ?? turn.content, overrides: event.overrides ?? turn.overrides }
          : turn
      )
    ),
  TurnMoved: (session, event) =>
    onQueue(session, event, (queue) => {
      const moved = queue.filter((turn) => turn.turnId === event.turnId)
      const rest = queue.filter((turn) => turn.turnId !== event.turnId)
      const before = rest.findIndex((turn) => turn.turnId === event.before)
      return before < 0 ? [...rest, ...moved] : rest.toSpliced(before, 0, ...moved)
    }),
  TurnWithdrawn: (session, event) =>
    onThread(session, event.threadId, (thread) => {
      const { turnId, queueVersion } = event
      const withdrawn = thread.queue.find((turn) => turn.turnId === turnId)
      const queue = thread.queue.filter((turn) => turn !== withdrawn)
      if (thread.retry?.turnId !== turnId) {
        return { ...withoutSystem(thread, ({ follows }) => follows === withdrawn?.inputId), queue, queueVersion }
      }
      // It is as it was before the retry was asked for, unless another one failed since.
      return { ...thread, queue, queueVersion, retry: null, failed: thread.failed ?? thread.retry }
    }),
  TurnApproved: (session, event) =>
    onQueue(session, event, (queue) =>
      queue.map((turn) => (turn.turnId === event.turnId ? { ...turn, needsApproval: false } : turn))
    ),
  SteerQueued: (session, { inputId, threadId }) =>
    onThread(session, threadId, (thread) => {
      const queued = thread.queue.find((one) => one.inputId === inputId)
      const message = thread.inbox.find((one) => one.inputId === inputId) ?? queued
      if (message === undefined || thread.turn === null) return thread
      const { content, from, overrides, turnId } = message
      const steer = { inputId, turnId, ...(from === undefined ? {} : { from }), content, overrides }
      return {
        ...thread,
        inbox: thread.inbox.filter((one) => one !== message),
        queue: queued === undefined ? thread.queue : thread.queue.filter((one) => one !== queued),
        queueVersion: queued === undefined ? thread.queueVersion : thread.queueVersion + 1,
        turn: { ...thread.turn, steers: [...thread.turn.steers, steer] }
      }
    }),
  MessageTaken: (session, event) =>
    onFrame(session, event, (turn) =>
      turn.steers.length === 0
        ? turn
        : { ...turn, steers: turn.steers.filter((steer) => steer.inputId !== event.inputId) }
    )
}
