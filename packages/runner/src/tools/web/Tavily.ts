import { Effect, Redacted, Result, Schema } from "effect"
import type { SafeFetch } from "../../egress/SafeFetch.ts"
import { SearchFailed, type SearchProvider } from "./SearchProvider.ts"

export interface TavilyOptions {
  readonly key: Redacted.Redacted
  readonly baseUrl?: string
}

const Answer = Schema.fromJsonString(
  Schema.Struct({
    results: Schema.Array(
      Schema.Struct({
        title: Schema.String,
        url: Schema.String,
        content: Schema.String,
        published_date: Schema.optionalKey(Schema.NullOr(Schema.String))
      })
    )
  })
)
const decodeAnswer = Schema.decodeUnknownResult(Answer)

const answerBytesMax = 2_097_152
const timeoutMs = 25_000

/** Searches with Tavily's API, or with what speaks like it at another address. */
export const tavily = (
  { baseUrl = "https://api.tavily.com", key }: TavilyOptions,
  { fetch }: SafeFetch["Service"]
): SearchProvider => {
  const failed = (reason: SearchFailed["reason"], detail: string) =>
    new SearchFailed({ provider: "Tavily", reason, detail })
  return {
    name: "Tavily",
    search: Effect.fn("Tavily.search")(function* ({ allowedDomains, blockedDomains, query, results }) {
      const body = {
        query,
        max_results: results,
        include_domains: allowedDomains,
        exclude_domains: blockedDomains
      }
      const answer = yield* fetch({
        url: `${baseUrl.replace(/\/$/, "")}/search`,
        method: "POST",
        headers: { authorization: `Bearer ${Redacted.value(key)}`, "content-type": "application/json" },
        body: Buffer.from(JSON.stringify(body)),
        maxBytes: answerBytesMax,
        timeoutMs,
        maxRedirects: 0
      }).pipe(Effect.mapError((error) => failed("unreachable", error.detail)))
      if (answer.status === 429 || answer.status === 432) return yield* failed("rate_limited", "it takes no more now")
      if (answer.status !== 200) return yield* failed("refused", `it answered ${answer.status}`)
      const decoded = decodeAnswer(Buffer.from(answer.bytes).toString("utf8"))
      if (Result.isFailure(decoded)) return yield* failed("unreadable", "its answer has another shape")
      return decoded.success.results.map(({ content, published_date, title, url }) => ({
        title,
        url,
        snippet: content,
        published: published_date ?? null
      }))
    })
  }
}
