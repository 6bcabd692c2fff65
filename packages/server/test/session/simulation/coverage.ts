import type { Refusal } from "@troupe/domain/session/SessionCommand"
import { isReserved, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { crashPoints } from "../../../src/session/CrashPoints.ts"
import type { SessionError } from "../../../src/session/SessionErrors.ts"
import type { Depth } from "./Depth.ts"

/** Whom a refusal meets: a client, the node's own work, or nobody without a flood. */
const refusals: Record<Refusal["_tag"], "client" | "inner" | "flood"> = {
  NotOpen: "client",
  AlreadyOpen: "client",
  Ended: "client",
  Busy: "client",
  UnknownThread: "client",
  UnknownTurn: "client",
  TurnNotQueued: "client",
  StaleQueue: "client",
  QueueFull: "flood",
  UnknownCall: "client",
  CallNotAwaiting: "client",
  UnknownResource: "client",
  TooManyThreads: "flood",
  TooManyResources: "flood",
  UnknownTimer: "client",
  UnknownSeq: "client",
  IdTaken: "client",
  NothingToRetry: "client",
  NothingToSteer: "client",
  BudgetReached: "client",
  BudgetNotRaised: "client",
  BudgetCreateOnly: "client",
  AttemptEnded: "inner",
  NotDue: "inner",
  FrameHole: "inner",
  ProtocolViolation: "inner",
  Invalid: "client"
}

/** Which errors trouble can lead to. The others take a broken log or broken code. */
const errors: Record<SessionError["_tag"], boolean> = {
  CommandRejected: true,
  CommandIdReused: true,
  ReceiptUnreadable: false,
  CommandTooLarge: true,
  CommandUnstorable: true,
  CommandBroken: false,
  EventNotReadableYet: false,
  Overloaded: true,
  SessionMoved: true,
  SessionUnavailable: true,
  SessionUnreadable: false
}

const events = Object.keys(SessionEvent.cases).filter((tag) => !isReserved(tag))
const phases = ["Placing", "Working", "Suspended", "Deciding"]
const troubles = ["interrupt", "pause", "loss", "evict", "takeover", "freeze", "crash", "away", "mute", "faults"]

const all = (group: string, names: ReadonlyArray<string>) => names.map((name) => [group, name] as const)

/** Everything that many runs have to meet. */
const wanted: ReadonlyArray<readonly [group: string, name: string]> = [
  ...all("event", events),
  ...Object.entries(refusals).flatMap(([name, who]): typeof wanted =>
    who === "client" ? [["refusal", name]] : who === "inner" ? [["inner refusal", name]] : []
  ),
  ...Object.entries(errors).flatMap(([name, met]): typeof wanted => (met ? [["answer", name]] : [])),
  ...all("answer", ["Accepted", "accepted before"]),
  ...phases.flatMap((phase) =>
    all(
      "phase",
      troubles.map((trouble) => `${phase} ${trouble}`)
    )
  ),
  ...all("trouble", ["burst", "cancel", "repeat", "reuse", "resend", "thaw", "placement", "noise", "long"]),
  ...all("crash", crashPoints),
  ...all("fault", ["failBefore", "failAfter", "slow", "theft"]),
  ...all("owner", ["stopped", "started from a snapshot"]),
  ...all("at once", ["two threads", "two sessions"]),
  ...all("story", [
    "another attempt",
    "budget reached and raised",
    ...["allow_once", "allow_session", "allow_edited", "deny", "expired"].map((type) => `confirmation: ${type}`),
    ...["requires_action", "budget", "paused"].map((reason) => `suspended: ${reason}`),
    "lost: the runner was not heard",
    "lost: the disk is gone",
    "lost: the runner has forgotten it",
    "interrupt not confirmed",
    "unknown outcome",
    "estimated usage"
  ])
]

/** Met a few times in thousands of runs, so that a few hundred may miss them. */
const rare: ReadonlySet<string> = new Set([
  "event FramesRefused",
  "event SandboxRestored",
  "event RetryQueued",
  "event TurnRetried",
  "event TimerCancelled",
  "inner refusal AttemptEnded",
  "refusal NotOpen",
  ...crashPoints.map((point) => `crash ${point}`)
])

/** What these runs should have met and did not. */
export const missing = (depth: Depth, runs: number): ReadonlyArray<string> =>
  wanted.flatMap(([group, name]) => {
    const key = `${group} ${name}`
    if (depth.count(group, name) > 0 || (runs < 1_000 && rare.has(key))) return []
    return [key]
  })
