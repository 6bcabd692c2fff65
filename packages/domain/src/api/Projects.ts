import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { AgentId, EnvironmentId, ProjectId, RunnerId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Metadata, MetadataPatch, Name, Text } from "./Common.ts"
import { Flag, Page, pageQuery } from "./Page.ts"

const nullish = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

export const Labels = Schema.Array(Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,128}$/u))).check(
  Schema.isMaxLength(64)
)

const Directory = Schema.Struct({
  runner_id: RunnerId,
  path: Schema.String.check(Schema.isPattern(/^\/[^\p{Cc}]{0,4095}$/u))
})
/** Credentials are in none: a URL that holds some is refused. */
const Repository = Schema.Struct({
  url: Schema.String.check(
    Schema.isMaxLength(2_048),
    Schema.makeFilter(
      (text: string) => {
        const url = URL.parse(text)
        return url !== null && /^(https|http|ssh|git):$/.test(url.protocol) && url.password === ""
      },
      { expected: "a URL of a repository, without a password" }
    )
  ),
  ref: nullish(Name(256))
})

/** What sessions of a project are given where they do not say otherwise. */
const defaultsIn = {
  agent_id: nullish(AgentId),
  environment_id: nullish(EnvironmentId),
  labels: Schema.optionalKey(Labels),
  directory: nullish(Directory),
  repository: nullish(Repository)
}

export const ProjectDefaults = Schema.Struct({
  agent_id: Schema.NullOr(AgentId),
  environment_id: Schema.NullOr(EnvironmentId),
  labels: Schema.Array(Schema.String),
  directory: Schema.NullOr(Directory),
  repository: Schema.NullOr(Schema.Struct({ url: Schema.String, ref: Schema.NullOr(Schema.String) }))
})
export type ProjectDefaults = typeof ProjectDefaults.Type

export const ProjectDefinition = Schema.Struct({
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  metadata: Schema.Record(Schema.String, Schema.String),
  defaults: ProjectDefaults
})
export type ProjectDefinition = typeof ProjectDefinition.Type

/** A group of sessions in a workspace. */
export const Project = Schema.Struct({
  id: ProjectId,
  type: Schema.Literal("project"),
  ...ProjectDefinition.fields,
  created_at: Schema.String,
  updated_at: Schema.String,
  archived_at: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Project" })
export type Project = typeof Project.Type

export const ProjectCreate = Schema.Struct({
  name: Name(256),
  description: nullish(Text(2_048)),
  metadata: Schema.optionalKey(Metadata),
  defaults: Schema.optionalKey(Schema.Struct(defaultsIn))
})
export type ProjectCreate = typeof ProjectCreate.Type

export const ProjectUpdate = Schema.Struct({
  name: Schema.optionalKey(Name(256)),
  description: nullish(Text(2_048)),
  metadata: Schema.optionalKey(Schema.NullOr(MetadataPatch)),
  /** What is named is replaced, the rest stays. */
  defaults: Schema.optionalKey(Schema.Struct(defaultsIn))
})
export type ProjectUpdate = typeof ProjectUpdate.Type

const one = { id: ProjectId }

export const create = HttpApiEndpoint.post("createProject", "/v1/projects", {
  payload: ProjectCreate,
  success: Project,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listProjects", "/v1/projects", {
  query: { ...pageQuery, include_archived: Schema.optionalKey(Flag) },
  success: Page(Project),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveProject", "/v1/projects/:id", {
  params: one,
  success: Project,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateProject", "/v1/projects/:id", {
  params: one,
  payload: ProjectUpdate,
  success: Project,
  error: anyFailure
})
export const archive = HttpApiEndpoint.post("archiveProject", "/v1/projects/:id/archive", {
  params: one,
  success: Project,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteProject", "/v1/projects/:id", {
  params: one,
  success: Schema.Struct({ id: ProjectId, type: Schema.Literal("project_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("projects").add(create, list, retrieve, update, archive, remove)
