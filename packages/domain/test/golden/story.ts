import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import type { ReservedEvent } from "../../src/session/SessionEvent.ts"
import * as make from "../session/make.ts"
import { richRefusals, richStory } from "../support/stories.ts"
import { Recording } from "../support/recording.ts"

const details = { note: "kept" }

/** One of each, as somebody may have reported it. */
const reserved: ReadonlyArray<ReservedEvent> = [
  {
    _tag: "OutcomeEvaluated",
    outcomeId: make.outcome(30).outcomeId,
    iteration: 1,
    result: "satisfied",
    explanation: "done",
    details
  },
  { _tag: "GoalSet", goalId: "g1", description: "a tidy house", details },
  { _tag: "GoalProgressed", goalId: "g1", details },
  { _tag: "GoalEnded", goalId: "g1", result: "reached", details },
  { _tag: "NativeSessionBound", harness: "codex", nativeId: "n1", details },
  { _tag: "PlanUpdated", threadId: make.threadId(), items: [{ text: "dust", done: true }] },
  { _tag: "ChangeSetCaptured", changeSetId: "c1", details },
  { _tag: "ChangeSetCommented", changeSetId: "c1", details },
  { _tag: "ChangeSetAccepted", changeSetId: "c1", details },
  { _tag: "ChangeSetMerged", changeSetId: "c1", details },
  { _tag: "ChangeSetPublished", changeSetId: "c1", details },
  { _tag: "ChangeSetCleaned", changeSetId: "c1", details },
  { _tag: "RepositoryCloned", url: "https://example.com/house.git", details },
  { _tag: "RepositoryFailed", url: "https://example.com/barn.git", code: "not_found", details },
  { _tag: "SecretUsed", name: "BROOM_KEY", details },
  { _tag: "SecretRefreshed", name: "BROOM_KEY" },
  { _tag: "SecretFailed", name: "MOP_KEY", code: "expired" },
  { _tag: "MemoryVersionWritten", storeId: "m", memoryId: "m1", versionId: "m1.1", details },
  { _tag: "SkillLoaded", name: "sweeping", version: "2" },
  { _tag: "TerminalOpened", terminalId: "t1", details },
  { _tag: "TerminalClosed", terminalId: "t1", details },
  { _tag: "HumanExecuted", command: "ls", exitCode: 0, details },
  { _tag: "DeliveryLinked", integration: "chat", delivery: "d1", details },
  { _tag: "PlatformNoted", code: "note", message: "noted", details }
]

const sandbox = { sandboxId: make.sandboxId(1), runnerId: "rnr" }

const more: ReadonlyArray<SessionCommand> = [
  { _tag: "Reconfigure", threadId: null, changes: { model: { id: "other" } }, digest: make.hash(7) },
  { _tag: "ChangeBudget", budget: [make.limit("model_requests", 60)] },
  { _tag: "ChangePolicies", policies: [{ type: "preset", preset: "review" }] },
  { _tag: "ArchiveThread", threadId: make.threadId(2) },
  make.openThread(3),
  { _tag: "AddResource", resource: make.resource(1) },
  { _tag: "RefreshResource", resourceId: make.resourceId(1), details },
  { _tag: "RemoveResource", resourceId: make.resourceId(1) },
  make.messageThread(40, 1, 3),
  make.start(40, 13, 3),
  make.frames(13, 1, make.completed()),
  { _tag: "SetTimer", timerId: make.timerId(2), dueAt: 9_000_000_000_000, name: "later", payload: null },
  { _tag: "CancelTimer", timerId: make.timerId(2) },
  make.send(make.outcome(30), make.message(31, { needsApproval: true, overrides: { model: "other" } })),
  { _tag: "ApproveTurn", turnId: make.turnId(31), queueVersion: null },
  make.start(31, 9),
  make.frames(
    9,
    1,
    { _tag: "SandboxLost", sandboxId: sandbox.sandboxId, reason: "gone" },
    { _tag: "SandboxRestored", ...sandbox, backend: "docker", checkpoint: "c1" },
    { _tag: "SandboxDestroyed", sandboxId: sandbox.sandboxId, reason: "done" },
    make.completed()
  ),
  make.frames(9, 5, make.completed()),
  make.send(make.message(32)),
  make.start(32, 10),
  make.frames(10, 1, make.failed(false)),
  make.send(make.message(33)),
  make.start(33, 11),
  make.retry(32),
  make.frames(11, 1, make.completed()),
  make.start(32, 12),
  make.frames(12, 1, make.completed()),
  // As clients of before sent it, and as they do now.
  make.send(make.message(35), make.systemMessage(36)),
  make.start(35, 14),
  make.send(make.message(37), make.systemMessage(38, 37)),
  make.frames(14, 1, make.completed()),
  make.start(37, 15),
  make.frames(15, 1, make.completed()),
  ...reserved.map((event): SessionCommand => ({ _tag: "Note", event })),
  { _tag: "RequestRedaction", seqs: [4], reason: "asked for", replacements: [make.hash(5)] },
  { _tag: "ConfirmRedaction", seqs: [4] }
]

/** A session in which everything that this release knows happens once at least. */
export const everything = (): Recording => {
  const recording = new Recording().tell(...richStory).refuse(...richRefusals)
  recording.epoch++
  return recording.tell(...more, make.archive, make.remove)
}
