import type { Session, SessionListQuery } from "@troupe/client"

/** The kinds of sessions one looks for, as the address has them. */
export const views = [
  { id: "", title: "All", statuses: [] },
  { id: "running", title: "Running", statuses: ["running", "rescheduling"] },
  { id: "idle", title: "Idle", statuses: ["idle"] },
  { id: "ended", title: "Ended", statuses: ["terminated"] }
] as const

export interface ListPlace {
  readonly view?: string | undefined
  readonly agent?: string | undefined
  readonly archived?: string | undefined
}

export const filterOf = ({ agent, archived, view = "" }: ListPlace): SessionListQuery => ({
  "statuses[]": views.find(({ id }) => id === view)?.statuses ?? [],
  ...(agent === undefined || agent === "" ? {} : { agent_id: agent }),
  ...(archived === "1" ? { include_archived: "true" } : {})
})

/** The newest page, fetched again and again, takes the place of what was known of the same sessions. */
export const merge = (
  newest: ReadonlyArray<Session>,
  known: ReadonlyArray<Session>,
  isMore: (one: Session) => boolean = () => true
): ReadonlyArray<Session> => {
  const fresh = new Map(newest.map((session) => [session.id, session]))
  const before = new Set(known.map(({ id }) => id))
  const arrived = newest.filter((session) => !before.has(session.id) && isMore(session))
  return [...arrived, ...known.map((session) => fresh.get(session.id) ?? session)]
}

export type Light = "running" | "idle" | "waiting" | "bad" | "good"

const said: Readonly<Record<string, { readonly light: Light; readonly text: string }>> = {
  running: { light: "running", text: "Running" },
  rescheduling: { light: "waiting", text: "Trying again" },
  idle: { light: "idle", text: "Idle" },
  terminated: { light: "bad", text: "Ended" }
}

/** How one looks in which a call or a question waits for somebody. */
export const waitsForPeople = { light: "waiting", text: "Waits for you" } as const

/** How a status looks and is called. One that is not known yet is shown by its own name. */
export const statusOf = (status: string) => said[status] ?? { light: "idle" as const, text: status }

/** Where j and k lead. */
export const step = (at: number, by: number, length: number): number =>
  length === 0 ? -1 : Math.min(length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : length - 1) : at + by))
