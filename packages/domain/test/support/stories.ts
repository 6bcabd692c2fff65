import { text } from "../../src/session/Content.ts"
import type { FrameBody } from "../../src/session/Frame.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import {
  answer,
  asked,
  block,
  blockId,
  callId,
  completed,
  confirmation,
  failed,
  finished,
  forClient,
  frames,
  hash,
  interrupt,
  interruptedFrame,
  limit,
  lose,
  message,
  open,
  openThread,
  pause,
  question,
  refused,
  requestEnded,
  requestId,
  requestStarted,
  requested,
  result,
  resume,
  retry,
  sandboxId,
  send,
  sessionId,
  start,
  started,
  steerTaken,
  subagentEnded,
  subagentId,
  subagentStarted,
  suspended,
  systemMessage,
  threadId,
  timerId,
  turnId,
  wake
} from "../session/make.ts"

const thinking = (n: number, request: number): FrameBody => ({
  _tag: "ThinkingBlock",
  blockId: blockId(n),
  requestId: requestId(request),
  text: "let me see",
  opaque: { signature: "opaque" },
  partial: false
})

const third = { requestId: requestId(3) }

/** A day in the life of a session: nearly everything that can happen, told by commands. Ids are given out once. */
export const richStory: ReadonlyArray<SessionCommand> = [
  open({
    title: "A day",
    budget: [limit("model_requests", 40), limit("tokens", 60, { enforcement: "soft" })],
    metadata: { team: "blue" },
    labels: ["demo"],
    history: [{ type: "user", content: [{ type: "text", text: "from the parent" }], inputId: null, from: null }],
    inputs: [systemMessage(1), message(2, { content: text("Please tidy the house. ".repeat(10)) })]
  }),
  // A turn with a tool call that runs, and one that is refused by policy.
  start(2, 1),
  frames(
    1,
    1,
    {
      _tag: "SandboxCreated",
      sandboxId: sandboxId(1),
      runnerId: "rnr",
      backend: "bubblewrap",
      isolation: "namespaces"
    },
    requestStarted(1),
    thinking(1, 1),
    block(2, 1),
    requested(1, { input: { command: "ls" } }),
    refused(2),
    requestEnded(1),
    started(1)
  ),
  // A sub-agent works for the call.
  frames(
    1,
    9,
    subagentStarted(1, { callId: callId(1) }),
    { ...requestStarted(9), subagentId: subagentId(1) },
    requestEnded(9, { inputTokens: 0, outputTokens: 0 }),
    subagentEnded(1)
  ),
  frames(1, 13, finished(1), finished(2, "denied"), requestStarted(2), block(3, 2), requestEnded(2)),
  frames(1, 18, { _tag: "TitleSuggested", title: "unused" }, completed()),
  // An approval with other arguments, a client's tool and a question; then a denial.
  send(message(3)),
  start(3, 2),
  frames(
    2,
    1,
    requestStarted(3),
    asked(3, third),
    asked(4, third),
    forClient(5, third),
    question(6, third),
    requestEnded(3),
    suspended()
  ),
  send(
    confirmation(4, 3, { type: "allow_edited", input: { command: "ls -l" }, inputDigest: hash(9) }),
    confirmation(5, 4, { type: "deny", message: "not today" }),
    result(6, 5)
  ),
  send(answer(7, 6)),
  start(3, 3),
  frames(3, 1, started(3), finished(3), requestStarted(4), block(4, 4), requestEnded(4)),
  // A steer joins, the queue is edited, and an interrupt ends the turn with partial words.
  send(message(8, { mode: "steer" }), message(9), message(10), message(11)),
  frames(3, 6, steerTaken(8), requestStarted(5), { ...block(5, 5), partial: true }),
  { _tag: "EditTurn", turnId: turnId(9), queueVersion: null, content: text("other words") },
  { _tag: "MoveTurn", turnId: turnId(11), before: turnId(9), queueVersion: null },
  { _tag: "WithdrawTurn", turnId: turnId(10), queueVersion: null },
  send(interrupt(12)),
  frames(3, 9, { ...requestEnded(5), outcome: "cancelled" }, interruptedFrame),
  // The soft limit on tokens is reached: a person lets it pass.
  resume,
  // A runner is lost while a tool runs: a person decides to go on; then it fails for good.
  start(11, 4),
  frames(4, 1, requestStarted(6), requested(7, { requestId: requestId(6) }), requestEnded(6), started(7)),
  lose(4),
  retry(11),
  start(11, 5),
  frames(5, 1, { _tag: "WorkingCopyRewound", toSeq: 40, callIds: [] }, failed(false)),
  // The next one is tried again by itself, and waits for a runner in between; a person tries it a third time.
  start(9, 6),
  frames(6, 1, { _tag: "Troubled", error: { code: "slow", message: "slow" }, retryStatus: "retrying" }),
  frames(6, 2, failed(true, 0)),
  { _tag: "NoteWaiting", threadId: threadId(), turnId: turnId(9), reason: "no runner" },
  start(9, 7),
  frames(7, 1, requestStarted(8), block(8, 8), failed(false)),
  pause,
  retry(9),
  resume,
  start(9, 8),
  frames(8, 1, requestStarted(7), block(7, 7), requestEnded(7), {
    _tag: "ContextCompacted",
    summary: text("what came before"),
    uptoSeq: 60,
    tokensBefore: 1_000,
    tokensAfter: 10
  }),
  frames(8, 5, { _tag: "WorkingCopyCaptured", checkpoint: "c1", bytes: 10, files: 1 }, completed("max_steps")),
  // A second thread, a timer, a fork, a plan, and the end of the day.
  openThread(2),
  { _tag: "SetTimer", timerId: timerId(1), dueAt: 1, name: "tea", payload: { cups: 2 } },
  wake,
  { _tag: "NoteFork", childId: sessionId(2), seq: 12 },
  { _tag: "Note", event: { _tag: "SkillLoaded", name: "tidying", version: "1" } },
  { _tag: "Update", title: "A long day", labels: ["demo", "done"] }
]

/** What that session refuses in the end, each for a reason that stays. */
export const richRefusals: ReadonlyArray<SessionCommand> = [
  { _tag: "WithdrawTurn", turnId: turnId(10), queueVersion: null },
  send(confirmation(20, 3)),
  { _tag: "RequestRedaction", seqs: [0], reason: "none", replacements: [hash(1)] },
  // What no state remembers: the log does.
  { _tag: "RequestRedaction", seqs: [100_000], reason: "none", replacements: [hash(1)] },
  send(systemMessage(1))
]
