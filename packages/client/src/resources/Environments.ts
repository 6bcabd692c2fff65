import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  Environment,
  EnvironmentCreate,
  EnvironmentDeleted,
  EnvironmentListQuery,
  EnvironmentUpdate
} from "../types/api.ts"
import { EnvironmentWork } from "./EnvironmentWork.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Where the work is done: how a session's sandbox is made. */
export class Environments extends Resource {
  readonly work = new EnvironmentWork(this.transport)

  create(body: EnvironmentCreate, options?: CallOptions): Call<Environment> {
    return this.post("/v1/environments", body, options)
  }

  list(query?: EnvironmentListQuery, options?: CallOptions): Pages<Environment> {
    return list(this.transport, "/v1/environments", query, options)
  }

  retrieve(environmentId: string, options?: CallOptions): Call<Environment> {
    return this.get(path`/v1/environments/${environmentId}`, {}, options)
  }

  update(environmentId: string, body: EnvironmentUpdate, options?: CallOptions): Call<Environment> {
    return this.post(path`/v1/environments/${environmentId}`, body, options)
  }

  archive(environmentId: string, options?: CallOptions): Call<Environment> {
    return this.post(path`/v1/environments/${environmentId}/archive`, undefined, options)
  }

  delete(environmentId: string, options?: CallOptions): Call<EnvironmentDeleted> {
    return this.remove(path`/v1/environments/${environmentId}`, options)
  }
}
