import type { RunnerId, SessionId } from "@troupe/domain/Ids"
import type { Capability } from "@troupe/domain/runner/Hello"
import { createHash } from "node:crypto"

/** What a turn needs of a runner. */
export interface Wanted {
  readonly sessionId: SessionId
  readonly labels: ReadonlyArray<string>
  /** Null: the runner's own choice. */
  readonly backend: string | null
  readonly harness: string
  /** The runner that has the session's sandbox. */
  readonly home: string | null
  /** The one runner that can take it, whose host has the session's directory. */
  readonly only: RunnerId | null
  /** For how long the turn has waited for its home. */
  readonly waitedMs: number
}

/** A runner as a placement sees it. */
export interface Candidate {
  readonly runnerId: RunnerId
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly connected: boolean
  readonly draining: boolean
  /** For how long nothing was heard of it, where it is away. */
  readonly silentMs: number | null
  readonly harnesses: ReadonlyArray<Capability>
  readonly sandboxes: ReadonlyArray<Capability>
  readonly defaultSandbox: string | null
  readonly capacity: { readonly attempts: number; readonly sessions: number }
  readonly load: { readonly attempts: number; readonly sessions: number }
}

export type Choice =
  | { readonly _tag: "Chosen"; readonly candidate: Candidate }
  /** `home`: it waits for the runner that has its sandbox. */
  | { readonly _tag: "None"; readonly reason: string; readonly home: boolean }

/**
 * How long a turn waits for the runner that has its session's sandbox, away or busy, before another takes its place with
 * what the last checkpoint holds. A runner that restarts or changes its network is back by then.
 */
export const homeWaitMs = 60_000

const none = (reason: string, home = false): Choice => ({ _tag: "None", reason, home })

const names = (runners: ReadonlyArray<Candidate>): string => {
  const shown = runners.slice(0, 3).map(({ name }) => name)
  return runners.length > shown.length
    ? `${shown.join(", ")} and ${runners.length - shown.length} more`
    : shown.join(", ")
}

const notes = ({ notes: all }: Capability): string => (all.length === 0 ? "" : ` (${all.join("; ").slice(0, 200)})`)

/** Why a runner has no use of what a capability names; null where it has. */
const lacks = (list: ReadonlyArray<Capability>, name: string): string | null => {
  const found = list.find((one) => one.name === name)
  if (found === undefined) return "it has none"
  return found.usable ? null : `it can't use it${notes(found)}`
}

const backendOf = (wanted: Wanted, { defaultSandbox }: Candidate): string | null => wanted.backend ?? defaultSandbox

const lacksBackend = (wanted: Wanted, candidate: Candidate): string | null => {
  const backend = backendOf(wanted, candidate)
  return backend === null ? "it has no default" : lacks(candidate.sandboxes, backend)
}

const isFull = (wanted: Wanted, { capacity, load, runnerId }: Candidate): boolean =>
  load.attempts >= capacity.attempts || (runnerId !== wanted.home && load.sessions >= capacity.sessions)

/** Spreads sessions over runners that are equally busy, and a session's turns not at all. */
const spread = (sessionId: string, runnerId: string): string =>
  createHash("sha256").update(`${sessionId} ${runnerId}`).digest("hex")

const ratio = (used: number, of: number): number => (of <= 0 ? 1 : used / of)

const leastBusy = (wanted: Wanted, candidates: ReadonlyArray<Candidate>): Candidate => {
  const order = candidates.map((candidate) => ({
    candidate,
    attempts: ratio(candidate.load.attempts, candidate.capacity.attempts),
    sessions: ratio(candidate.load.sessions, candidate.capacity.sessions),
    spread: spread(wanted.sessionId, candidate.runnerId)
  }))
  order.sort((a, b) => a.attempts - b.attempts || a.sessions - b.sessions || (a.spread < b.spread ? -1 : 1))
  return order[0]!.candidate
}

/** Whether the runner could ever take it: labels, harness and sandbox fit. */
const fits = (wanted: Wanted, candidate: Candidate): boolean =>
  wanted.labels.every((label) => candidate.labels.includes(label)) &&
  lacks(candidate.harnesses, wanted.harness) === null &&
  lacksBackend(wanted, candidate) === null

/** What the turn waits for, if it waits for its home; null where another runner may take it. */
const waitsForHome = (wanted: Wanted, home: Candidate | undefined): string | null => {
  if (home === undefined || home.draining || !fits(wanted, home)) return null
  const over = `after ${homeWaitMs / 1_000} s another takes its place`
  const has = `runner ${home.name}, which has the session's sandbox,`
  if (!home.connected) {
    return home.silentMs !== null && home.silentMs < homeWaitMs ? `${has} is away; ${over}` : null
  }
  return wanted.waitedMs < homeWaitMs ? `${has} is busy; ${over}` : null
}

/** Which runner takes a turn; or why none does, in a sentence that stays the same while the reason does. */
export const choose = (wanted: Wanted, registered: ReadonlyArray<Candidate>): Choice => {
  const all = wanted.only === null ? registered : registered.filter(({ runnerId }) => runnerId === wanted.only)
  if (all.length === 0 && wanted.only !== null) {
    return none("the runner whose host has the session's directory is not registered any more")
  }
  if (all.length === 0) return none("no runner is registered in this workspace")
  const home = all.find(({ runnerId }) => runnerId === wanted.home)
  if (home?.connected === true && !home.draining && fits(wanted, home) && !isFull(wanted, home)) {
    return { _tag: "Chosen", candidate: home }
  }
  const waiting = wanted.only === null ? waitsForHome(wanted, home) : null
  if (waiting !== null) return none(waiting, true)

  const connected = all.filter((one) => one.connected)
  if (connected.length === 0) {
    return none(`no runner is connected: ${names(all)} ${all.length === 1 ? "is" : "are"} away`)
  }

  const { backend, harness, labels } = wanted
  const labelled = connected.filter((one) => labels.every((label) => one.labels.includes(label)))
  if (labelled.length === 0) {
    const missing = labels.filter((label) => !connected.some((one) => one.labels.includes(label)))
    const which = missing.length > 0 ? `the label ${missing.join(", ")}` : `all of the labels ${labels.join(", ")}`
    return none(`no connected runner has ${which}`)
  }
  const equipped = labelled.filter((one) => lacks(one.harnesses, harness) === null)
  if (equipped.length === 0) {
    return none(
      `no fitting runner has the harness ${harness}: ${labelled[0]!.name}: ${lacks(labelled[0]!.harnesses, harness)}`
    )
  }
  const boxed = equipped.filter((one) => lacksBackend(wanted, one) === null)
  if (boxed.length === 0) {
    const what = backend === null ? "a sandbox" : `the sandbox ${backend}`
    return none(`no fitting runner has ${what}: ${equipped[0]!.name}: ${lacksBackend(wanted, equipped[0]!)}`)
  }
  const open = boxed.filter((one) => !one.draining)
  if (open.length === 0) return none(`every fitting runner is draining: ${names(boxed)}`)
  const free = open.filter((one) => !isFull(wanted, one))
  if (free.length === 0) return none(`every fitting runner is busy: ${names(open)}`)
  return { _tag: "Chosen", candidate: leastBusy(wanted, free) }
}
