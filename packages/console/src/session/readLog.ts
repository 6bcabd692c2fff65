import type { LogEvent } from "@troupe/domain/api/Events"
import { get, query } from "../api/http.ts"

export interface LogPage {
  readonly data: ReadonlyArray<LogEvent>
  readonly next_after: number | null
}

const pageSize = 1_000

export const readLogPage = (
  sessionId: string,
  after: number,
  signal?: AbortSignal,
  limit: number = pageSize
): Promise<LogPage> => get(`/v1/sessions/${sessionId}/log${query({ after, limit })}`, signal)

/** The events of a log from one place to another, both included. */
export const readLog = async (
  sessionId: string,
  from: number,
  to: number,
  signal?: AbortSignal
): Promise<ReadonlyArray<LogEvent>> => {
  const events: Array<LogEvent> = []
  while (events.length < to - from + 1) {
    const after = from - 1 + events.length
    const { data } = await readLogPage(sessionId, after, signal, Math.min(pageSize, to - after))
    if (data.length === 0) break
    events.push(...data)
  }
  return events
}
