import { Context } from "effect"

/**
 * The places between two steps where a crash leaves something behind: one for each row of the life of a turn. Fault
 * tests end the process there; everywhere else, reaching one does nothing.
 */
export type CrashPoint =
  | "command.taken"
  | "command.planned"
  | "append.sent"
  | "append.committed"
  | "append.published"
  | "append.answered"
  | "attempt.placed"
  | "attempt.started"
  | "attempt.linked"
  | "frames.recorded"
  | "frames.acknowledged"

export const crashPoints: ReadonlyArray<CrashPoint> = [
  "command.taken",
  "command.planned",
  "append.sent",
  "append.committed",
  "append.published",
  "append.answered",
  "attempt.placed",
  "attempt.started",
  "attempt.linked",
  "frames.recorded",
  "frames.acknowledged"
]

export const CrashPoints = Context.Reference<{ readonly reach: (point: CrashPoint) => void }>("server/CrashPoints", {
  defaultValue: () => ({ reach: () => undefined })
})
