import type { Refusal, SessionCommand } from "../../src/session/SessionCommand.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import type { SessionState, Turn } from "../../src/session/SessionState.ts"

export const situations = ["Idle", "Placing", "Rescheduled", "Working", "Suspended", "Deciding"] as const
export type Situation = (typeof situations)[number]

const situationOf = (turn: Turn | null): Situation =>
  turn === null
    ? "Idle"
    : turn.phase._tag === "Placing" && turn.phase.notBefore !== null
      ? "Rescheduled"
      : turn.phase._tag

/** Which interesting things have happened, and how often: a simulation that never meets trouble proves nothing. */
export class Coverage {
  readonly events = new Map<string, number>()
  readonly refusals = new Map<string, number>()
  readonly trouble = new Map<string, number>()

  meets(state: SessionState, body: SessionCommand): void {
    if (state._tag !== "Open") return
    const interrupts = body._tag === "Send" && body.inputs.some((input) => input._tag === "Interrupt")
    const kind = interrupts ? "interrupt" : { Pause: "pause", LoseAttempt: "lose" }[body._tag as string]
    if (kind === undefined) return
    for (const { turn } of state.threads) add(this.trouble, `${kind} ${situationOf(turn)}`)
  }

  records(events: ReadonlyArray<SessionEvent>): void {
    for (const event of events) add(this.events, event._tag)
  }

  refuses(reason: Refusal): void {
    add(this.refusals, reason._tag)
  }
}

const add = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
