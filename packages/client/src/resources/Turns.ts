import { Call } from "../http/Call.ts"
import { type Pages, pagesOf } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { Turn, TurnEdit, TurnListQuery, TurnMove, TurnPage, TurnQueue, TurnSeen } from "../types/api.ts"
import { Resource } from "./Resource.ts"

/**
 * What was asked of a session: what waits, and what has begun. Changes take the `queue_version` that was seen, so that
 * nobody changes a queue that is another one by now.
 */
export class Turns extends Resource {
  /** What has begun, the last one first. */
  list(sessionId: string, query?: TurnListQuery, options?: CallOptions): Pages<Turn> {
    return pagesOf<TurnPage, Turn>(
      {
        ask: (asked) =>
          this.transport.send({ method: "GET", path: path`/v1/sessions/${sessionId}/turns`, query: asked }, options),
        items: ({ data }) => data,
        more: ({ next_page: page }) => (page === null ? null : { page })
      },
      query
    )
  }

  /** What waits, thread by thread. */
  queues(sessionId: string, options?: CallOptions): Call<ReadonlyArray<TurnQueue>> {
    return this.get<TurnPage>(path`/v1/sessions/${sessionId}/turns`, { limit: 1 }, options).map(({ queues }) => queues)
  }

  edit(sessionId: string, turnId: string, body: TurnEdit, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}`, body, options)
  }

  move(sessionId: string, turnId: string, body: TurnMove, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}/move`, body, options)
  }

  withdraw(sessionId: string, turnId: string, body: TurnSeen = {}, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}/withdraw`, body, options)
  }

  /** Has its message join the turn that runs. */
  steer(sessionId: string, turnId: string, body: TurnSeen = {}, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}/steer`, body, options)
  }

  approve(sessionId: string, turnId: string, body: TurnSeen = {}, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}/approve`, body, options)
  }

  retry(sessionId: string, turnId: string, options?: CallOptions): Call<TurnQueue> {
    return this.post(path`/v1/sessions/${sessionId}/turns/${turnId}/retry`, {}, options)
  }
}
