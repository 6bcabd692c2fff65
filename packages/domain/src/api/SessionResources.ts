import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { FileId, ResourceId, SessionId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"
import { anyFailure } from "./ApiError.ts"
import { longPageQuery, Page } from "./Page.ts"

/** A file that a session was given: its own copy, and where its sandbox sees it. */
export const FileResource = Schema.Struct({
  id: ResourceId,
  type: Schema.Literal("file"),
  file_id: FileId,
  mount_path: Schema.String,
  created_at: Schema.String,
  updated_at: Schema.String,
  /** It is an archive with whose content the working copy began. */
  troupe: Schema.optionalKey(Schema.Struct({ unpack: Schema.Boolean }))
}).annotate({ identifier: "FileResource" })
export type FileResource = typeof FileResource.Type

const one = { id: SessionId, resource: ResourceId }

export const add = HttpApiEndpoint.post("addSessionResource", "/v1/sessions/:id/resources", {
  params: { id: SessionId },
  // Read by rules of their own, which say better what is wrong with one of another kind.
  payload: JsonObject,
  success: FileResource,
  error: anyFailure
})
export const list = HttpApiEndpoint.get("listSessionResources", "/v1/sessions/:id/resources", {
  params: { id: SessionId },
  query: longPageQuery,
  success: Page(JsonObject),
  error: anyFailure
})
export const retrieve = HttpApiEndpoint.get("retrieveSessionResource", "/v1/sessions/:id/resources/:resource", {
  params: one,
  success: JsonObject,
  error: anyFailure
})
export const update = HttpApiEndpoint.post("updateSessionResource", "/v1/sessions/:id/resources/:resource", {
  params: one,
  payload: Schema.Struct({ authorization_token: Schema.String }),
  success: JsonObject,
  error: anyFailure
})
export const remove = HttpApiEndpoint.delete("deleteSessionResource", "/v1/sessions/:id/resources/:resource", {
  params: one,
  success: Schema.Struct({ id: ResourceId, type: Schema.Literal("session_resource_deleted") }),
  error: anyFailure
})

export const group = HttpApiGroup.make("sessionResources").add(add, list, retrieve, update, remove)
