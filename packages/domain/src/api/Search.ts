import { Schema } from "effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { EventId, ProjectId } from "../Ids.ts"
import { anyFailure } from "./ApiError.ts"
import { Name } from "./Common.ts"
import { Flag, Page, pageQuery } from "./Page.ts"
import { Session } from "./Sessions.ts"

export const searchFields = ["title", "metadata", "label", "user_message", "agent_message"] as const

/** A piece of what fits, and where in it the words are: pairs of where one begins and ends, in UTF-16 units. */
export const Highlight = Schema.Struct({
  field: Schema.Literals(searchFields),
  /** Of messages: the event that holds it. */
  event_id: Schema.NullOr(EventId),
  text: Schema.String,
  ranges: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int]))
})
export type Highlight = typeof Highlight.Type

export const SearchHit = Schema.Struct({
  type: Schema.Literal("search_hit"),
  session: Session,
  matched_at: Schema.String,
  highlights: Schema.Array(Highlight)
}).annotate({ identifier: "SearchHit" })
export type SearchHit = typeof SearchHit.Type

export const search = HttpApiEndpoint.get("searchSessions", "/v1/search", {
  query: {
    ...pageQuery,
    /** Words; in quotation marks such that follow each other; `-` before one that must not be there; `or`. */
    q: Name(256),
    include_archived: Schema.optionalKey(Flag),
    project_id: Schema.optionalKey(ProjectId)
  },
  success: Page(SearchHit),
  error: anyFailure
})

export const group = HttpApiGroup.make("search").add(search)
