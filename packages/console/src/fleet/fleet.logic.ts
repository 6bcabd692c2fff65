import type { Fleet } from "@troupe/client"
import { count, duration, plural } from "../ui/format.logic.ts"

/** Readers that are so far behind are not seen by people; further behind, somebody should look. */
const lagWorthSayingMs = 5_000
const horizonWorthSayingMs = 30_000
const waitWorthSayingMs = 60_000

type FleetNode = Fleet["nodes"][number]

export interface Concern {
  readonly what: string
  readonly todo: string
}

/** What somebody who runs the server should look at; nothing, where all is as it should be. */
export const concernsOf = ({ log, queues, runners, shards, work }: Fleet): ReadonlyArray<Concern> => {
  const concerns: Array<Concern> = []
  if (shards.owned < shards.total) {
    concerns.push({
      what: `${plural(shards.total - shards.owned, "shard")} without a node`,
      todo: "Their sessions are taken over within moments. If it stays so, a node can’t reach the database."
    })
  }
  if (log.horizon_age_ms > horizonWorthSayingMs) {
    concerns.push({
      what: `A transaction has been writing for ${duration(log.horizon_age_ms)}`,
      todo: "Until it ends, lists and the inbox show nothing newer: pg_stat_activity names it."
    })
  }
  for (const { lag_ms, live, name } of log.projections) {
    if (live && lag_ms > lagWorthSayingMs) {
      concerns.push({ what: `${name} is ${duration(lag_ms)} behind the log`, todo: "What it shows is as old as that." })
    }
  }
  if (runners.connected === 0) {
    concerns.push({ what: "No runner is connected", todo: "Turns wait until one dials in." })
  } else if (runners.draining === runners.connected) {
    concerns.push({ what: "All runners are draining", todo: "New turns wait until one takes them." })
  }
  if (runners.connected > runners.draining && (queues.runner.oldest_ms ?? 0) > waitWorthSayingMs) {
    concerns.push({
      what: `${plural(queues.runner.turns, "turn waits", "turns wait")} for a runner, for up to ${duration(queues.runner.oldest_ms!)}`,
      todo: "Those that are connected can’t take them: each session says what it waits for."
    })
  }
  if (work.queued > 0 && (work.oldest_queued_ms ?? 0) > waitWorthSayingMs) {
    concerns.push({
      what: `Work has waited for a worker for ${duration(work.oldest_queued_ms!)}`,
      todo: "No worker of its environment asks for it."
    })
  }
  return concerns
}

/** For how long what waits has waited; nothing, where nothing does. */
export const waitText = ({ oldest_ms }: { readonly oldest_ms: number | null }): string =>
  oldest_ms === null ? "" : `for up to ${duration(oldest_ms)}`

/** All that waits for people: calls, questions, and turns that somebody has to let begin. */
export const peopleText = ({ approvals, questions }: Fleet["sessions"], { person }: Fleet["queues"]) => ({
  value: count(approvals + questions + person.turns),
  more: [
    plural(approvals, "approval"),
    plural(questions, "question"),
    ...(person.turns === 0 ? [] : [plural(person.turns, "turn")])
  ].join(", ")
})

/** The part of all shards that a node owns, for a bar. */
export const shareOf = ({ shards }: FleetNode, total: number): number => (total === 0 ? 0 : shards / total)

/** Releases that run side by side, where there is more than one. */
export const releasesOf = (nodes: ReadonlyArray<FleetNode>): ReadonlyArray<string> => [
  ...new Set(nodes.map(({ release }) => release))
]
