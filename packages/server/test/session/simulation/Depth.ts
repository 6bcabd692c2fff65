import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import type { SessionState } from "@troupe/domain/session/SessionState"

const phases = (state: SessionState): ReadonlyArray<string> =>
  state._tag === "NotOpened" ? [] : state.threads.flatMap(({ turn }) => turn?.phase._tag ?? [])

const works = (state: SessionState): number => phases(state).filter((phase) => phase === "Working").length

/** How far runs got: how often each thing of interest happened, by group and name. */
export class Depth {
  private readonly groups = new Map<string, Map<string, number>>()

  add(group: string, name: string, times = 1): void {
    const names = this.groups.get(group) ?? new Map<string, number>()
    this.groups.set(group, names)
    names.set(name, (names.get(name) ?? 0) + times)
  }

  count(group: string, name: string): number {
    return this.groups.get(group)?.get(name) ?? 0
  }

  merge(other: Depth): void {
    for (const [group, names] of other.groups) for (const [name, times] of names) this.add(group, name, times)
  }

  /** What was going on in a session, and in all of them, when something happened to it. */
  trouble(kind: string, all: ReadonlyArray<SessionState>, state: SessionState): void {
    this.add("trouble", kind)
    for (const phase of phases(state)) this.add("phase", `${phase} ${kind}`)
    if (all.some((one) => works(one) > 1)) this.add("at once", "two threads")
    if (all.filter((one) => works(one) > 0).length > 1) this.add("at once", "two sessions")
  }

  /** What a session's log tells. */
  log(events: ReadonlyArray<SessionEvent>): void {
    let budgetReached = false
    for (const event of events) {
      this.add("event", event._tag)
      if (event._tag === "BudgetReached") budgetReached = true
      if (event._tag === "BudgetChanged" && budgetReached) this.add("story", "budget reached and raised")
      if (event._tag === "ToolConfirmed") this.add("story", `confirmation: ${event.decision.type}`)
      if (event._tag === "TurnSuspended") this.add("story", `suspended: ${event.reason}`)
      if (event._tag === "AttemptStarted" && event.number > 1) this.add("story", "another attempt")
      if (event._tag === "AttemptLost") this.add("story", `lost: ${event.reason.replace(/[0-9].*/, "")}`)
      const unconfirmed = event._tag === "TurnInterrupted" && event.attemptId !== null && event.frame === null
      if (unconfirmed) this.add("story", "interrupt not confirmed")
      if (event._tag === "ToolFinished" && event.outcome === "unknown") this.add("story", "unknown outcome")
      if (event._tag === "ModelRequestEnded" && event.outcome === "unknown") this.add("story", "estimated usage")
    }
  }

  toString(): string {
    const line = ([group, names]: readonly [string, ReadonlyMap<string, number>]) =>
      `${group}: ${[...names]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, times]) => `${name} ${times}`)
        .join(", ")}`
    return [...this.groups].map(line).join("\n")
  }
}
