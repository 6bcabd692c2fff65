import type { ThreadId, TurnId } from "../../Ids.ts"
import { evolve } from "../evolve.ts"
import { CommandRejected, type Command, type Refusal } from "../SessionCommand.ts"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Call, OpenSession, SessionState, Thread, Turn } from "../SessionState.ts"

/**
 * A decision being made: the events so far, and the state that they lead to. Rules emit and look again, so that each
 * sees what the one before it did. A refusal is thrown inside and caught by `decide`: nothing of the draft remains.
 */
export class Draft {
  readonly events: Array<SessionEvent> = []
  readonly command: Command
  state: SessionState

  constructor(state: SessionState, command: Command) {
    this.state = state
    this.command = command
  }

  get at(): number {
    return this.command.at
  }

  get session(): OpenSession {
    return this.state._tag === "Open" ? this.state : this.refuse({ _tag: "NotOpen" })
  }

  emit(event: SessionEvent): void {
    this.events.push(event)
    this.state = evolve(this.state, event)
  }

  refuse(reason: Refusal): never {
    throw new CommandRejected({ command: this.command.body._tag, reason })
  }

  thread(threadId: ThreadId | null): Thread {
    const wanted = threadId ?? this.session.primary
    const found = this.session.threads.find((thread) => thread.threadId === wanted)
    return found === undefined || found.archived ? this.refuse({ _tag: "UnknownThread", threadId: wanted }) : found
  }

  /** The thread that runs this turn now. */
  running(turnId: TurnId): { readonly thread: Thread; readonly turn: Turn } {
    for (const thread of this.session.threads) {
      if (thread.turn?.turnId === turnId) return { thread, turn: thread.turn }
    }
    return this.refuse({ _tag: "UnknownTurn", turnId })
  }

  call(callId: string): { readonly thread: Thread; readonly turn: Turn; readonly call: Call } {
    for (const thread of this.session.threads) {
      const call = thread.turn?.calls.find((one) => one.callId === callId)
      if (call !== undefined) return { thread, turn: thread.turn!, call }
    }
    return this.refuse({ _tag: "UnknownCall", callId })
  }
}
