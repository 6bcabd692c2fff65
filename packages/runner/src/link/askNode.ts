import { Effect, Schedule, type Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { BlobError } from "./BlobError.ts"
import { Identity } from "./Identity.ts"

const triesMax = 6

const reasons: Record<number, BlobError["reason"]> = { 404: "missing", 413: "tooLarge", 422: "damaged" }

interface Asking<A> {
  /** What is asked for, where it has a name. */
  readonly name: string | null
  readonly ticket: string
  readonly withinMs: number
  readonly request: (server: string) => HttpClientRequest.HttpClientRequest
  /** Of a 404 too. */
  readonly read: (
    response: HttpClientResponse.HttpClientResponse
  ) => Effect.Effect<A, BlobError | HttpClientError | Schema.SchemaError>
}

/** Requests to whatever node answers, tried at one server after the other while they are away. */
export const makeAsk = Effect.fnUntraced(function* (servers: ReadonlyArray<string>) {
  const client = yield* HttpClient.HttpClient
  const { credential } = yield* Identity
  let next = 0

  return <A>({ name, read, request, ticket, withinMs }: Asking<A>): Effect.Effect<A, BlobError> => {
    const away = (detail: string) => new BlobError({ sha256: name, reason: "away", detail })
    const once = Effect.gen(function* () {
      const server = servers[next++ % servers.length]!.replace(/\/+$/, "")
      const response = yield* client.execute(
        request(server).pipe(
          HttpClientRequest.bearerToken(credential),
          HttpClientRequest.setHeader("x-troupe-ticket", ticket)
        )
      )
      const { status } = response
      if (status >= 500 || status === 429) return yield* away(`a node answered ${status}`)
      if (status >= 400 && status !== 404) {
        const reason = reasons[status] ?? "refused"
        return yield* new BlobError({ sha256: name, reason, detail: `a node answered ${status}` })
      }
      return yield* read(response)
    }).pipe(
      Effect.timeout(withinMs),
      Effect.mapError((error) => (error._tag === "BlobError" ? error : away(error._tag)))
    )
    return Effect.retry(once, {
      times: triesMax - 1,
      while: ({ reason }) => reason === "away" || reason === "damaged",
      schedule: Schedule.jittered(Schedule.exponential(200, 2))
    })
  }
})
