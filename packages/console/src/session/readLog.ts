import type { LogEvent } from "@troupe/client"
import { troupe } from "../api/troupe.ts"

const pageSize = 1_000

/** What a log has behind a place, part by part, up to where it ends. */
export async function* logAfter(
  sessionId: string,
  after: number,
  signal: AbortSignal
): AsyncGenerator<ReadonlyArray<LogEvent>, void, undefined> {
  let page = await troupe.sessions.log.list(sessionId, { after, limit: pageSize }, { signal })
  yield page.data
  while (page.hasNextPage()) {
    page = (await page.nextPage())!
    yield page.data
  }
}

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
    const limit = Math.min(pageSize, to - after)
    const { data } = await troupe.sessions.log.list(sessionId, { after, limit }, { signal })
    if (data.length === 0) break
    events.push(...data)
  }
  return events
}
