import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { searchesIn } from "@troupe/domain/session/Searches"
import { searchMicroUsd } from "@troupe/domain/session/Usage"

/** What an attempt's work ends with. Whichever comes first ends it, and those that follow find none. */
const endings = [
  "AttemptLost",
  "TurnSuspended",
  "TurnRescheduled",
  "RetryAsked",
  "TurnInterrupted",
  "TurnCompleted",
  "TurnFailed"
] as const satisfies ReadonlyArray<SessionEvent["_tag"]>

/** The events that say something of what was used. */
export const usageTags = new Set<string>([
  ...["SessionOpened", "ThreadOpened", "AttemptStarted"],
  ...["ModelRequestStarted", "ModelRequestEnded", "ToolStarted", "ToolFinished"],
  ...endings
])

/** No model has this name: the row that holds a session's tool calls, what they searched, and how long it worked. */
const noModel = ""

/** Where something is counted. */
interface Row {
  readonly workspace: string
  readonly day: string
  readonly session: string
  readonly thread: string
  readonly model: string
}

export interface Sums {
  readonly requests: number
  readonly estimated: number
  readonly unpriced: number
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly searches: number
  readonly fetches: number
  readonly cost: number
  readonly calls: number
  readonly active: number
}

const nothing: Sums = {
  ...{ requests: 0, estimated: 0, unpriced: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  ...{ searches: 0, fetches: 0, cost: 0, calls: 0, active: 0 }
}

const ofRequest = ({ usage }: EventOf<"ModelRequestEnded">): Partial<Sums> => ({
  requests: 1,
  estimated: usage.source === "estimated" ? 1 : 0,
  unpriced: usage.costMicroUsd === null ? 1 : 0,
  input: usage.inputTokens,
  output: usage.outputTokens,
  cacheRead: usage.cacheReadTokens,
  cacheWrite: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
  searches: usage.webSearches,
  fetches: usage.webFetches,
  cost: usage.costMicroUsd ?? 0
})

/** An event of a session, where and when it counts. */
export interface Told extends Omit<Row, "model"> {
  readonly event: SessionEvent
}

interface Asked extends Omit<Row, "model"> {
  readonly requestId: string
  readonly sums: Partial<Sums>
}

/** The work of a thread: what these events found of it, and what they leave. */
interface Work extends Pick<Row, "session" | "thread" | "workspace"> {
  startedAt: number | null
  /** The first of these events that ended what had begun before them. */
  readonly ended: { readonly at: number; readonly row: Row } | null
}

/**
 * What events count, over all sessions. What begins and ends between them, as requests and short turns do, leaves no row
 * behind and asks for none.
 */
export class UsageFold {
  readonly threads: Array<Pick<Row, "session" | "thread"> & { readonly agent: string }> = []
  /** Requests that began and have not ended, by their ids. */
  readonly requests = new Map<string, Pick<Row, "session" | "model"> & { readonly requestId: string }>()
  /** Those that ended and began before. */
  readonly asked: Array<Asked> = []
  readonly work = new Map<string, Work>()
  private readonly sums = new Map<string, Row & { sums: Sums }>()

  get added(): ReadonlyArray<Row & Sums> {
    return [...this.sums.values()].map(({ sums, ...row }) => ({ ...row, ...sums }))
  }

  add(row: Row, more: Partial<Sums>): void {
    const key = Object.values(row).join(" ")
    const before = this.sums.get(key)?.sums ?? nothing
    const added = Object.entries(more).map(([name, value]) => [name, before[name as keyof Sums] + value] as const)
    this.sums.set(key, { ...row, sums: { ...before, ...Object.fromEntries(added) } })
  }

  take({ event, ...at }: Told): void {
    const { session, thread, workspace } = at
    switch (event._tag) {
      case "SessionOpened":
        // That of the primary thread stands under no name as well, for threads without an agent of their own.
        return void this.threads.push({ session, thread: "", agent: event.agent.agentId })
      case "ThreadOpened": {
        const agent = event.agent?.["agentId"]
        if (typeof agent === "string") this.threads.push({ session, thread: event.threadId, agent })
        return
      }
      case "ModelRequestStarted": {
        const { model, provider, requestId } = event
        return void this.requests.set(`${session} ${requestId}`, { session, requestId, model: `${provider}/${model}` })
      }
      case "ModelRequestEnded": {
        const key = `${session} ${event.requestId}`
        const started = this.requests.get(key)
        this.requests.delete(key)
        if (started !== undefined) return this.add({ ...at, model: started.model }, ofRequest(event))
        return void this.asked.push({ ...at, requestId: event.requestId, sums: ofRequest(event) })
      }
      case "ToolStarted":
        return this.add({ ...at, model: noModel }, { calls: 1 })
      case "ToolFinished": {
        const searches = searchesIn(event.executor, event.details)
        if (searches > 0) this.add({ ...at, model: noModel }, { searches, cost: searches * searchMicroUsd })
        return
      }
      case "AttemptStarted": {
        const ended = this.work.get(`${session} ${thread}`)?.ended ?? null
        return void this.work.set(`${session} ${thread}`, { session, thread, workspace, startedAt: event.at, ended })
      }
    }
    if (!usageTags.has(event._tag) || !("at" in event)) return
    const row = { ...at, model: noModel }
    const work = this.work.get(`${session} ${thread}`)
    if (work === undefined) {
      const ended = { at: event.at, row }
      this.work.set(`${session} ${thread}`, { session, thread, workspace, startedAt: null, ended })
    } else if (work.startedAt !== null) {
      this.add(row, { active: Math.max(0, event.at - work.startedAt) })
      work.startedAt = null
    }
  }
}
