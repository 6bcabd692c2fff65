import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  FileResource,
  ResourceListQuery,
  SessionResource,
  SessionResourceDeleted,
  SessionResourceUpdate
} from "../types/api.ts"
import type { JsonObject } from "../types/events.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** What a session was given to work with. */
export class SessionResources extends Resource {
  add(sessionId: string, body: JsonObject, options?: CallOptions): Call<FileResource> {
    return this.post(path`/v1/sessions/${sessionId}/resources`, body, options)
  }

  list(sessionId: string, query?: ResourceListQuery, options?: CallOptions): Pages<SessionResource> {
    return list(this.transport, path`/v1/sessions/${sessionId}/resources`, query, options)
  }

  retrieve(sessionId: string, resourceId: string, options?: CallOptions): Call<SessionResource> {
    return this.get(path`/v1/sessions/${sessionId}/resources/${resourceId}`, {}, options)
  }

  update(
    sessionId: string,
    resourceId: string,
    body: SessionResourceUpdate,
    options?: CallOptions
  ): Call<SessionResource> {
    return this.post(path`/v1/sessions/${sessionId}/resources/${resourceId}`, body, options)
  }

  delete(sessionId: string, resourceId: string, options?: CallOptions): Call<SessionResourceDeleted> {
    return this.remove(path`/v1/sessions/${sessionId}/resources/${resourceId}`, options)
  }
}
