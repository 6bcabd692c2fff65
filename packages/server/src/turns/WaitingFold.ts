import type { SessionEvent } from "@troupe/domain/session/SessionEvent"

/** A turn that can't go on yet. */
export interface WaitingTurn {
  readonly sessionId: string
  readonly threadId: string
  readonly turnId: string
  /** The message that it begins with; null where that is not known any more. */
  readonly inputId: string | null
  readonly waitsFor: "turn" | "person" | "runner"
  /** Microseconds since 1970. */
  readonly since: number
}

export interface Told {
  readonly sessionId: string
  readonly recordedAt: number
  readonly event: SessionEvent
}

type OneOf<K extends keyof WaitingTurn> = Pick<WaitingTurn, "sessionId" | K>

/** With these a turn goes on, in one way or another, and waits for nothing that is counted here. */
const goingOn = [
  "TurnStarted",
  "AttemptStarted",
  "TurnSuspended",
  "TurnRescheduled",
  "TurnRetried",
  "TurnWithdrawn",
  "TurnCompleted",
  "TurnInterrupted",
  "TurnFailed"
] as const satisfies ReadonlyArray<SessionEvent["_tag"]>

/** Events that say something of what waits. */
export const waitingTags = new Set<string>([
  ...goingOn,
  "TurnQueued",
  "TurnApproved",
  "TurnWaiting",
  "SteerQueued",
  "RetryQueued",
  "ThreadArchived",
  "SessionArchived",
  "SessionDeleted"
] satisfies ReadonlyArray<SessionEvent["_tag"]>)

const keyOf = (sessionId: string, turnId: string) => `${sessionId} ${turnId}`

/** What events change of what waits, over all sessions. What began to wait and went on between them leaves no turn behind. */
export class WaitingFold {
  readonly waiting = new Map<string, WaitingTurn>()
  /** Turns whose earlier waiting is over. */
  readonly gone = new Map<string, OneOf<"turnId">>()
  /** Turns that somebody let begin, of whom these events say nothing else. */
  readonly approved = new Map<string, OneOf<"turnId">>()
  /** Messages that were told to turns that run. */
  readonly joined: Array<OneOf<"inputId">> = []
  readonly endedThreads: Array<OneOf<"threadId">> = []
  readonly ended = new Set<string>()

  take({ event, recordedAt: since, sessionId }: Told): void {
    switch (event._tag) {
      case "TurnQueued": {
        const { inputId, needsApproval, threadId, turnId } = event
        return this.#waits({ sessionId, threadId, turnId, inputId, waitsFor: needsApproval ? "person" : "turn", since })
      }
      case "RetryQueued": {
        const { threadId, turnId } = event
        return this.#waits({ sessionId, threadId, turnId, inputId: null, waitsFor: "turn", since })
      }
      case "TurnWaiting": {
        const { threadId, turnId } = event
        // Told again for another reason, it waits since it was told first.
        if (this.waiting.has(keyOf(sessionId, turnId))) return
        return this.#begins({ sessionId, threadId, turnId, inputId: null, waitsFor: "runner", since })
      }
      case "TurnApproved":
        return this.#approve(sessionId, event.turnId)
      case "SteerQueued":
        this.joined.push({ sessionId, inputId: event.inputId })
        return this.#forget((turn) => turn.sessionId === sessionId && turn.inputId === event.inputId)
      case "ThreadArchived":
        this.endedThreads.push({ sessionId, threadId: event.threadId })
        return this.#forget((turn) => turn.sessionId === sessionId && turn.threadId === event.threadId)
      case "SessionArchived":
      case "SessionDeleted":
        this.ended.add(sessionId)
        return this.#forget((turn) => turn.sessionId === sessionId)
    }
    if (waitingTags.has(event._tag) && "turnId" in event && event.turnId !== null) this.#goes(sessionId, event.turnId)
  }

  #begins(turn: WaitingTurn): void {
    this.waiting.set(keyOf(turn.sessionId, turn.turnId), turn)
  }

  #waits(turn: WaitingTurn): void {
    this.#goes(turn.sessionId, turn.turnId)
    this.#begins(turn)
  }

  #goes(sessionId: string, turnId: string): void {
    const key = keyOf(sessionId, turnId)
    this.waiting.delete(key)
    this.approved.delete(key)
    this.gone.set(key, { sessionId, turnId })
  }

  #approve(sessionId: string, turnId: string): void {
    const key = keyOf(sessionId, turnId)
    const turn = this.waiting.get(key)
    if (turn === undefined) this.approved.set(key, { sessionId, turnId })
    else this.waiting.set(key, { ...turn, waitsFor: "turn" })
  }

  #forget(fits: (turn: WaitingTurn) => boolean): void {
    for (const [key, turn] of this.waiting) if (fits(turn)) this.waiting.delete(key)
  }
}
