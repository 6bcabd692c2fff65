import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { Work, WorkHeartbeat, WorkHeartbeatQuery, WorkListQuery, WorkPollQuery, WorkStats } from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** The sessions of a self-hosted environment that wait for a worker, or have one. */
export class EnvironmentWork extends Resource {
  /** The next session that nobody looks after; null where there is none. Takes the environment's key. */
  poll(environmentId: string, query: WorkPollQuery = {}, options?: CallOptions): Call<Work | null> {
    return this.get(path`/v1/environments/${environmentId}/work/poll`, query, options)
  }

  /** Says that it has arrived. Takes the environment's key. */
  acknowledge(environmentId: string, workId: string, options?: CallOptions): Call<Work> {
    return this.post(path`/v1/environments/${environmentId}/work/${workId}/ack`, undefined, options)
  }

  /** Keeps the work. Takes the work's own secret, or the environment's key. */
  heartbeat(
    environmentId: string,
    workId: string,
    query: WorkHeartbeatQuery = {},
    options?: CallOptions
  ): Call<WorkHeartbeat> {
    const beat = path`/v1/environments/${environmentId}/work/${workId}/heartbeat`
    return this.call({ method: "POST", path: beat, query }, options)
  }

  /** Asks the worker to let go; with `force`, takes the work from it at once. */
  stop(
    environmentId: string,
    workId: string,
    body: { readonly force?: boolean } = {},
    options?: CallOptions
  ): Call<Work> {
    return this.post(path`/v1/environments/${environmentId}/work/${workId}/stop`, body, options)
  }

  list(environmentId: string, query?: WorkListQuery, options?: CallOptions): Pages<Work> {
    return list(this.transport, path`/v1/environments/${environmentId}/work`, query, options)
  }

  retrieve(environmentId: string, workId: string, options?: CallOptions): Call<Work> {
    return this.get(path`/v1/environments/${environmentId}/work/${workId}`, {}, options)
  }

  update(
    environmentId: string,
    workId: string,
    body: { readonly metadata: Readonly<Record<string, string | null>> },
    options?: CallOptions
  ): Call<Work> {
    return this.post(path`/v1/environments/${environmentId}/work/${workId}`, body, options)
  }

  stats(environmentId: string, options?: CallOptions): Call<WorkStats> {
    return this.get(path`/v1/environments/${environmentId}/work/stats`, {}, options)
  }
}
