import { Result } from "effect"
import { lose, loseWorker, noteWaiting, startAttempt } from "./decide/attempts.ts"
import { Draft } from "./decide/Draft.ts"
import { record } from "./decide/frames.ts"
import { inputs, refuseAtCap, retry, wake } from "./decide/people.ts"
import { approve, edit, messageThread, move, steer, withdraw } from "./decide/queue.ts"
import * as session from "./decide/session.ts"
import { settle } from "./decide/settle.ts"
import { CommandRejected, type Command, type SessionCommand } from "./SessionCommand.ts"
import type { SessionEvent } from "./SessionEvent.ts"
import type { SessionState } from "./SessionState.ts"

/** What an ended session still takes: nothing that would change the conversation. */
const afterDelete: ReadonlySet<SessionCommand["_tag"]> = new Set(["WidenRedaction", "ConfirmRedaction", "Wake"])
const afterArchive: ReadonlySet<SessionCommand["_tag"]> = new Set([
  ...afterDelete,
  "Delete",
  "NoteFork",
  "RequestRedaction",
  "Note",
  "RecordFrames"
])

const rule = (draft: Draft, command: SessionCommand): void => {
  if (command._tag === "Open") return session.open(draft, command)
  const { ended } = draft.session
  const taken = ended === null || (ended === "deleted" ? afterDelete : afterArchive).has(command._tag)
  if (!taken) draft.refuse({ _tag: "Ended" })
  switch (command._tag) {
    case "Send":
      return inputs(draft, command.inputs)
    case "EditTurn":
      return edit(draft, command)
    case "MoveTurn":
      return move(draft, command)
    case "WithdrawTurn":
      return withdraw(draft, command)
    case "ApproveTurn":
      return approve(draft, command)
    case "SteerTurn":
      return steer(draft, command)
    case "RetryTurn":
      return retry(draft, command)
    case "Pause":
      return draft.emit({ _tag: "SessionPaused", at: draft.at })
    case "Resume":
      return draft.emit({ _tag: "SessionResumed", at: draft.at })
    case "Update":
      return session.update(draft, command)
    case "Reconfigure":
      return session.reconfigure(draft, command)
    case "AddResource":
      return session.addResource(draft, command)
    case "RemoveResource":
      return session.removeResource(draft, command)
    case "RefreshResource":
      return session.refreshResource(draft, command)
    case "ChangeBudget":
      return session.changeBudget(draft, command)
    case "ChangePolicies":
      return draft.emit({ _tag: "PoliciesChanged", policies: command.policies })
    case "OpenThread":
      return session.openThread(draft, command)
    case "ArchiveThread":
      return session.archiveThread(draft, command)
    case "MessageThread":
      refuseAtCap(draft)
      return messageThread(draft, command)
    case "SetTimer":
      return session.setTimer(draft, command)
    case "CancelTimer":
      return session.cancelTimer(draft, command)
    case "NoteFork":
      return session.noteFork(draft, command)
    case "RequestRedaction":
      return session.redact(draft, command)
    case "WidenRedaction":
      return session.widenRedaction(draft, command)
    case "ConfirmRedaction":
      return session.confirmRedaction(draft, command)
    case "Archive":
      return session.end(draft, "SessionArchived")
    case "Delete":
      return session.end(draft, "SessionDeleted")
    case "StartAttempt":
      return startAttempt(draft, command)
    case "NoteWaiting":
      return noteWaiting(draft, command)
    case "RecordFrames":
      return record(draft, command)
    case "LoseAttempt":
      return lose(draft, command)
    case "LoseWorker":
      return loseWorker(draft)
    case "Note":
      return draft.emit(command.event)
    case "Wake":
      return wake(draft)
  }
}

/** A decision: the events, and the state that they lead to. */
export interface Decided {
  readonly events: ReadonlyArray<SessionEvent>
  readonly state: SessionState
}

/** Decides, and says where the decision leads: what the events would fold to. */
export const plan = (state: SessionState, command: Command): Result.Result<Decided, CommandRejected> => {
  const draft = new Draft(state, command)
  try {
    rule(draft, command.body)
    settle(draft)
    return Result.succeed({ events: draft.events, state: draft.state })
  } catch (error) {
    if (error instanceof CommandRejected) return Result.fail(error)
    throw error
  }
}

/** The events that a command leads to from a state, or why it is refused. Looks at nothing else. */
export const decide = (
  state: SessionState,
  command: Command
): Result.Result<ReadonlyArray<SessionEvent>, CommandRejected> =>
  Result.map(plan(state, command), ({ events }) => events)
