import type { EventId, ThreadId, TurnId } from "../../Ids.ts"
import { Limits } from "../../Limits.ts"
import type { Input } from "../Input.ts"
import type { CommandOf } from "../SessionCommand.ts"
import type { EventOf } from "../SessionEvent.ts"
import type { Message, QueuedTurn, Thread } from "../SessionState.ts"
import type { Draft } from "./Draft.ts"

/** How long a client may wait before it tries a full queue again. */
const queueFullRetryMs = 1_000

/** Refuses ids that something here has. What is over is forgotten here, and known to the log. */
const refuseTaken = (draft: Draft, turnId: TurnId, inputId: EventId): void => {
  for (const { failed, queue, retry, turn } of draft.session.threads) {
    if ([turn, failed, retry].some((one) => one?.turnId === turnId)) draft.refuse({ _tag: "IdTaken", id: turnId })
    for (const one of [...(turn?.steers ?? []), ...queue]) {
      if (one.turnId === turnId) draft.refuse({ _tag: "IdTaken", id: turnId })
      if (one.inputId === inputId) draft.refuse({ _tag: "IdTaken", id: inputId })
    }
  }
}

/** The thread that a message is for, if it has room for one more. */
const receiver = (
  draft: Draft,
  {
    content,
    inputId,
    threadId,
    turnId
  }: Pick<Message, "inputId" | "turnId" | "content"> & { threadId: ThreadId | null }
): Thread => {
  const thread = draft.thread(threadId)
  if (content.length === 0) draft.refuse({ _tag: "Invalid", field: "content", detail: "is empty" })
  refuseTaken(draft, turnId, inputId)
  // What joins the running turn may come back to the queue, so it counts as well.
  if (thread.queue.length + (thread.turn?.steers.length ?? 0) >= Limits.queuedTurnsMax) {
    draft.refuse({ _tag: "QueueFull", max: Limits.queuedTurnsMax, retryAfterMs: queueFullRetryMs })
  }
  return thread
}

export const message = (draft: Draft, input: Extract<Input, { readonly _tag: "Message" }>): void => {
  const thread = receiver(draft, input)
  const { content, inputId, mode, turnId } = input
  const threadId = thread.threadId
  draft.emit({ _tag: "MessageReceived", threadId, turnId, inputId, content, mode, at: draft.at })
  if (mode === "steer" && thread.turn !== null && !input.needsApproval) {
    draft.emit({ _tag: "SteerQueued", threadId, turnId, inputId })
    return
  }
  draft.emit({
    _tag: "TurnQueued",
    threadId,
    turnId,
    inputId,
    place: mode === "steer" ? "front" : "back",
    overrides: input.overrides,
    needsApproval: input.needsApproval,
    queueVersion: thread.queueVersion + 1
  })
}

/** One thread tells another: what comes of it is a turn like that of any message. */
export const messageThread = (draft: Draft, command: CommandOf<"MessageThread">): void => {
  const { content, fromThreadId, messageId, turnId } = command
  draft.thread(fromThreadId)
  if (fromThreadId === command.threadId) {
    draft.refuse({ _tag: "Invalid", field: "threadId", detail: "is the thread that speaks" })
  }
  const { queueVersion, threadId } = receiver(draft, { ...command, inputId: messageId })
  draft.emit({ _tag: "ThreadMessaged", fromThreadId, threadId, turnId, messageId, content, at: draft.at })
  draft.emit({
    _tag: "TurnQueued",
    threadId,
    turnId,
    inputId: messageId,
    place: "back",
    overrides: {},
    needsApproval: false,
    queueVersion: queueVersion + 1
  })
}

const isTakenUp = ({ queue, turn }: Thread, inputId: EventId): boolean =>
  ![...queue, ...(turn?.steers ?? [])].some((one) => one.inputId === inputId) &&
  turn?.interrupt?.inputIds.includes(inputId) !== true

/** A system message stands behind the input that it came with, which may have to wait for its own place. */
export const systemMessage = (draft: Draft, input: Extract<Input, { readonly _tag: "SystemMessage" }>): void => {
  const { content, follows, inputId } = input
  const thread = draft.thread(null)
  const { threadId } = thread
  const at = draft.at
  if (follows === undefined || isTakenUp(thread, follows)) {
    return draft.emit({ _tag: "SystemMessageReceived", threadId, inputId, content, at })
  }
  draft.emit({ _tag: "SystemMessageQueued", threadId, inputId, follows, content, at })
}

/** Inputs have their place: so has what came with them. */
export const placeBehind = (draft: Draft, threadId: ThreadId, inputIds: ReadonlyArray<EventId>): void => {
  const waiting = draft.session.threads.find((thread) => thread.threadId === threadId)?.systemMessages ?? []
  for (const { content, follows, inputId } of waiting) {
    if (!inputIds.includes(follows)) continue
    draft.emit({ _tag: "SystemMessageReceived", threadId, inputId, content, at: draft.at })
  }
}

/** A message is taken up, by the turn that begins with it or by the one that it joins. */
export const take = (
  draft: Draft,
  where: Pick<EventOf<"MessageTaken">, "threadId" | "turnId" | "attemptId" | "frame">,
  { content, from, inputId }: Pick<Message, "inputId" | "from" | "content">
): void => {
  draft.emit({
    _tag: "MessageTaken",
    ...where,
    inputId,
    ...(from === undefined ? {} : { from }),
    content,
    at: draft.at
  })
  placeBehind(draft, where.threadId, [inputId])
}

/** Messages that a turn left unseen go to the front of the queue, in their order. */
export const requeue = (draft: Draft, threadId: ThreadId): void => {
  const left = draft.session.threads.find((thread) => thread.threadId === threadId)?.inbox ?? []
  for (const one of left.toReversed()) {
    draft.emit({
      _tag: "TurnQueued",
      threadId,
      turnId: one.turnId,
      inputId: one.inputId,
      place: "front",
      overrides: one.overrides,
      needsApproval: false,
      queueVersion: draft.thread(threadId).queueVersion + 1
    })
  }
}

const refuseStale = (draft: Draft, thread: Thread, expected: number | null): void => {
  const actual = thread.queueVersion
  if (expected !== null && expected !== actual) draft.refuse({ _tag: "StaleQueue", expected, actual })
}

const queued = (
  draft: Draft,
  command: { readonly turnId: QueuedTurn["turnId"]; readonly queueVersion: number | null }
): { readonly thread: Thread; readonly turn: QueuedTurn; readonly queueVersion: number } => {
  for (const thread of draft.session.threads) {
    const turn = thread.queue.find((one) => one.turnId === command.turnId)
    if (turn === undefined) {
      const running = [thread.turn, ...(thread.turn?.steers ?? [])].some((one) => one?.turnId === command.turnId)
      if (running) draft.refuse({ _tag: "TurnNotQueued", turnId: command.turnId })
      continue
    }
    refuseStale(draft, thread, command.queueVersion)
    return { thread, turn, queueVersion: thread.queueVersion + 1 }
  }
  return draft.refuse({ _tag: "UnknownTurn", turnId: command.turnId })
}

export const edit = (draft: Draft, command: CommandOf<"EditTurn">): void => {
  const { queueVersion, thread } = queued(draft, command)
  const { content, overrides, turnId } = command
  if (content?.length === 0) draft.refuse({ _tag: "Invalid", field: "content", detail: "is empty" })
  draft.emit({
    _tag: "TurnEdited",
    threadId: thread.threadId,
    turnId,
    ...(content === undefined ? {} : { content }),
    ...(overrides === undefined ? {} : { overrides }),
    queueVersion
  })
}

export const move = (draft: Draft, command: CommandOf<"MoveTurn">): void => {
  const { queueVersion, thread } = queued(draft, command)
  const { before, turnId } = command
  if (before === turnId) draft.refuse({ _tag: "Invalid", field: "before", detail: "is the turn itself" })
  if (before !== null && !thread.queue.some((turn) => turn.turnId === before)) {
    draft.refuse({ _tag: "TurnNotQueued", turnId: before })
  }
  draft.emit({ _tag: "TurnMoved", threadId: thread.threadId, turnId, before, queueVersion })
}

export const withdraw = (draft: Draft, command: CommandOf<"WithdrawTurn">): void => {
  const retrying = draft.session.threads.find(({ retry }) => retry?.turnId === command.turnId)
  if (retrying !== undefined) refuseStale(draft, retrying, command.queueVersion)
  const { queueVersion, thread } =
    retrying === undefined ? queued(draft, command) : { thread: retrying, queueVersion: retrying.queueVersion + 1 }
  draft.emit({ _tag: "TurnWithdrawn", threadId: thread.threadId, turnId: command.turnId, queueVersion })
}

export const approve = (draft: Draft, command: CommandOf<"ApproveTurn">): void => {
  const { queueVersion, thread, turn } = queued(draft, command)
  if (!turn.needsApproval) draft.refuse({ _tag: "Invalid", field: "turnId", detail: "needs no approval" })
  draft.emit({ _tag: "TurnApproved", threadId: thread.threadId, turnId: command.turnId, queueVersion })
}

export const steer = (draft: Draft, command: CommandOf<"SteerTurn">): void => {
  const { thread, turn } = queued(draft, command)
  if (thread.turn === null) draft.refuse({ _tag: "NothingToSteer" })
  if (turn.needsApproval) draft.refuse({ _tag: "Invalid", field: "turnId", detail: "waits for approval" })
  draft.emit({ _tag: "SteerQueued", threadId: thread.threadId, turnId: turn.turnId, inputId: turn.inputId })
}
