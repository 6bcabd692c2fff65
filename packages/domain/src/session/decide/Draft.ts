import type { AttemptId, ThreadId, TurnId } from "../../Ids.ts"
import { evolve } from "../evolve.ts"
import { CommandRejected, type Command, type Refusal } from "../SessionCommand.ts"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Call, OpenSession, SessionState, Thread, Turn } from "../SessionState.ts"

/** A thread together with the turn that it runs. */
export interface Running {
  readonly thread: Thread
  readonly turn: Turn
}

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

  /** The named thread, or the primary one, if it is not archived. */
  thread(threadId: ThreadId | null): Thread {
    const wanted = threadId ?? this.session.primary
    const found = this.session.threads.find((thread) => thread.threadId === wanted)
    return found === undefined || found.archived ? this.refuse({ _tag: "UnknownThread", threadId: wanted }) : found
  }

  /** What a thread runs as things stand now. */
  turn(threadId: ThreadId): Turn | null {
    return this.session.threads.find((thread) => thread.threadId === threadId)?.turn ?? null
  }

  /** The thread that runs this turn now. */
  running(turnId: TurnId): Running {
    for (const thread of this.session.threads) {
      if (thread.turn?.turnId === turnId) return { thread, turn: thread.turn }
    }
    return this.refuse({ _tag: "UnknownTurn", turnId })
  }

  /** The turn that this attempt works on, if it still does. */
  working(attemptId: AttemptId): (Running & { readonly frame: number }) | undefined {
    for (const thread of this.session.threads) {
      const phase = thread.turn?.phase
      if (phase?._tag === "Working" && phase.attemptId === attemptId) {
        return { thread, turn: thread.turn!, frame: phase.frame }
      }
    }
    return undefined
  }

  /** An open call, and the thread that made it. */
  call(callId: string): Running & { readonly call: Call } {
    for (const thread of this.session.threads) {
      const call = thread.turn?.calls.find((one) => one.callId === callId)
      if (call !== undefined) return { thread, turn: thread.turn!, call }
    }
    return this.refuse({ _tag: "UnknownCall", callId })
  }
}
