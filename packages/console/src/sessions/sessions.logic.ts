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

/** Rows of a list that may be as long as one likes. */
export interface Rows {
  readonly length: number
  readonly at: (index: number) => Session | undefined
}

type Parts = ReadonlyArray<{ readonly data: ReadonlyArray<Session> }>

/** The pages of a list as they come in. Each row is taken once: what a page costs does not grow with those before it. */
export class KnownSessions {
  #parts: Parts = []
  #rows: Array<Session> = []
  #ids = new Set<string>()

  /** What is known by these pages, with the newest page, fetched again and again, in the place of what was known of the same sessions. */
  with(newest: ReadonlyArray<Session>, parts: Parts): Rows {
    this.#take(parts)
    const rows = this.#rows
    const known = rows.length
    const fresh = new Map(newest.map((session) => [session.id, session]))
    const arrived = newest.filter(({ id }) => !this.#ids.has(id))
    return {
      length: arrived.length + known,
      at: (index) => {
        if (index < arrived.length) return arrived[index]
        const row = index - arrived.length < known ? rows[index - arrived.length] : undefined
        return row && (fresh.get(row.id) ?? row)
      }
    }
  }

  #take(parts: Parts): void {
    if (this.#parts.some((part, index) => parts[index] !== part)) {
      this.#parts = []
      this.#rows = []
      this.#ids = new Set()
    }
    for (const { data } of parts.slice(this.#parts.length)) {
      for (const session of data) {
        this.#rows.push(session)
        this.#ids.add(session.id)
      }
    }
    this.#parts = parts
  }
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
