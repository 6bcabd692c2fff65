import { Context, type Effect, Schema } from "effect"

export interface SearchRequest {
  readonly query: string
  readonly results: number
  readonly allowedDomains: ReadonlyArray<string>
  readonly blockedDomains: ReadonlyArray<string>
}

export interface SearchHit {
  readonly title: string
  readonly url: string
  readonly snippet: string
  readonly published: string | null
}

/** The message is for the model; no key is in it. */
export class SearchFailed extends Schema.TaggedError<SearchFailed>()("SearchFailed", {
  provider: Schema.String,
  reason: Schema.Literals(["refused", "rate_limited", "unreachable", "unreadable"]),
  detail: Schema.String
}) {
  override get message() {
    return `The search with ${this.provider} failed (${this.reason}): ${this.detail}`
  }
}

/** Who searches the web for us. */
export interface SearchProvider {
  readonly name: string
  readonly search: (request: SearchRequest) => Effect.Effect<ReadonlyArray<SearchHit>, SearchFailed>
}

/** Without one, no agent has web_search. */
export class WebSearch extends Context.Service<WebSearch, SearchProvider>()("runner/tools/WebSearch") {}
