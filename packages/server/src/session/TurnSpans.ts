import type { TurnId } from "@troupe/domain/Ids"
import type { Command } from "@troupe/domain/session/SessionCommand"
import type { SessionState } from "@troupe/domain/session/SessionState"

const turnsMax = 256

/**
 * By whose request each turn goes on: what the spans of its runner hang from. Known in memory alone; a turn that goes on where
 * nobody remembers begins a trace of its own.
 */
export class TurnSpans {
  /** Made for the first turn that somebody traces: where nobody does, no session pays for it. */
  private known: Map<TurnId, string> | null = null

  /**
   * A command was accepted, and this is what it led to: the turns that it brought, and those that go on by it. A turn that is
   * known stays in the trace in which it began.
   */
  note({ body }: Command, traceparent: string, state: SessionState): void {
    const inputs = body._tag === "Send" || body._tag === "Open" ? body.inputs : []
    for (const input of inputs) if (input._tag === "Message") this.set(input.turnId, traceparent)
    if (state._tag !== "Open") return
    for (const { turn } of state.threads) {
      if (turn?.phase._tag === "Placing" && turn.attempts > 0) this.set(turn.turnId, traceparent)
    }
  }

  of(turnId: TurnId): string | null {
    return this.known?.get(turnId) ?? null
  }

  private set(turnId: TurnId, traceparent: string): void {
    const known = (this.known ??= new Map())
    if (known.has(turnId)) return
    known.set(turnId, traceparent)
    if (known.size > turnsMax) known.delete(known.keys().next().value!)
  }
}
