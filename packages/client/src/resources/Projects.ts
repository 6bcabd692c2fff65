import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { Project, ProjectCreate, ProjectDeleted, ProjectListQuery, ProjectUpdate } from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Groups of sessions, with what each of them is given. */
export class Projects extends Resource {
  create(body: ProjectCreate, options?: CallOptions): Call<Project> {
    return this.post("/v1/projects", body, options)
  }

  list(query?: ProjectListQuery, options?: CallOptions): Pages<Project> {
    return list(this.transport, "/v1/projects", query, options)
  }

  retrieve(projectId: string, options?: CallOptions): Call<Project> {
    return this.get(path`/v1/projects/${projectId}`, {}, options)
  }

  update(projectId: string, body: ProjectUpdate, options?: CallOptions): Call<Project> {
    return this.post(path`/v1/projects/${projectId}`, body, options)
  }

  archive(projectId: string, options?: CallOptions): Call<Project> {
    return this.post(path`/v1/projects/${projectId}/archive`, undefined, options)
  }

  delete(projectId: string, options?: CallOptions): Call<ProjectDeleted> {
    return this.remove(path`/v1/projects/${projectId}`, options)
  }
}
