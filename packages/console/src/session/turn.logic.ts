import type { TimelineTurn } from "@troupe/domain/session/Timeline"
import { costOf, usedBy } from "./used.logic.ts"

const endings: Readonly<Record<string, string>> = {
  end_turn: "Done",
  max_steps: "Stopped at the most steps it may take",
  refusal: "The model refused"
}

/** How a turn ended and what it took. */
export const endOf = (turn: TimelineTurn) => {
  const used = usedBy(turn)
  const said =
    turn.state === "interrupted"
      ? "Interrupted"
      : turn.state === "failed"
        ? "Failed"
        : (endings[turn.reason ?? ""] ?? "Done")
  return {
    said,
    tone: turn.state === "failed" ? "bad" : "plain",
    ms: (turn.endedAt ?? turn.startedAt) - turn.startedAt,
    attempts: turn.attempts.length,
    tokens: used.inputTokens + used.outputTokens,
    microUsd: costOf(used)
  }
}

const waits: Readonly<Record<string, string>> = {
  no_runner: "No runner is connected: it waits for one",
  runner_busy: "All runners are busy: it waits for a free one",
  budget: "It has come up to a limit: it waits for somebody to say that it goes on, or for a larger one",
  paused: "Paused"
}

/** What a turn is about that neither writes nor asks anything just now. */
export const workingText = (turn: TimelineTurn): string => {
  if (turn.state === "working") {
    const last = turn.items.findLast((item) => item.kind === "call" || item.kind === "request")
    if (last?.kind === "request" && last.outcome === null) return "Thinking"
    return "Working"
  }
  if (turn.reason !== null) return waits[turn.reason] ?? `Waiting (${turn.reason.replaceAll("_", " ")})`
  return turn.attempts.length === 0 ? "Finding a runner" : "Going on"
}
