import { Sha256Hex } from "@troupe/domain/log/Envelope"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createHash } from "node:crypto"
import { Identity } from "./Identity.ts"

const timeoutMs = 60_000
const triesMax = 6

/** A blob could not be carried between this runner and a node. `away` may pass, the others do not. */
export class BlobError extends Schema.TaggedError<BlobError>()("BlobError", {
  sha256: Schema.NullOr(Schema.String),
  reason: Schema.Literals(["missing", "refused", "damaged", "tooLarge", "away"]),
  detail: Schema.String
}) {
  override get message() {
    return `Blob ${this.sha256 ?? ""} ${this.reason}: ${this.detail}`
  }
}

const Missing = Schema.Struct({ missing: Schema.Array(Sha256Hex) })

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const reasons: Record<number, BlobError["reason"]> = { 404: "missing", 413: "tooLarge", 422: "damaged" }

/** A session's large content, by plain HTTP to whatever node answers. The ticket opens the door for that session alone. */
export class BlobClient extends Context.Service<
  BlobClient,
  {
    readonly exists: (ticket: string, sha256: string) => Effect.Effect<boolean, BlobError>
    /** Which of these the node does not have. */
    readonly missing: (ticket: string, sha256: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, BlobError>
    /** Stores the bytes, unless they are there; their hash. */
    readonly put: (ticket: string, bytes: Uint8Array) => Effect.Effect<string, BlobError>
    /** The bytes, and none but those that the hash names. */
    readonly get: (ticket: string, sha256: string) => Effect.Effect<Uint8Array, BlobError>
  }
>()("runner/BlobClient") {
  static readonly layer = (servers: ReadonlyArray<string>) => Layer.effect(BlobClient, make(servers))
}

const make = Effect.fnUntraced(function* (servers: ReadonlyArray<string>) {
  const client = yield* HttpClient.HttpClient
  const { credential } = yield* Identity
  let next = 0

  /** One request, tried at one server after the other while they are away. */
  const ask = <A>(
    name: string | null,
    ticket: string,
    request: (base: string) => HttpClientRequest.HttpClientRequest,
    read: (
      response: HttpClientResponse.HttpClientResponse
    ) => Effect.Effect<A, BlobError | HttpClientError | Schema.SchemaError>
  ): Effect.Effect<A, BlobError> => {
    const away = (detail: string) => new BlobError({ sha256: name, reason: "away", detail })
    const once = Effect.gen(function* () {
      const base = `${servers[next++ % servers.length]!.replace(/\/+$/, "")}/v1/runners/blobs`
      const response = yield* client.execute(
        request(base).pipe(
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
      Effect.timeout(timeoutMs),
      Effect.mapError((error) => (error._tag === "BlobError" ? error : away(error._tag)))
    )
    return Effect.retry(once, {
      times: triesMax - 1,
      while: ({ reason }) => reason === "away" || reason === "damaged",
      schedule: Schedule.jittered(Schedule.exponential(200, 2))
    })
  }

  const exists = Effect.fn("BlobClient.exists")((ticket: string, name: string) =>
    ask(
      name,
      ticket,
      (base) => HttpClientRequest.head(`${base}/${name}`),
      ({ status }) => Effect.succeed(status !== 404)
    )
  )

  return BlobClient.of({
    exists,
    missing: Effect.fn("BlobClient.missing")((ticket, names) =>
      ask(
        null,
        ticket,
        (base) => HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${base}/missing`), { sha256: names }),
        (response) => Effect.map(HttpClientResponse.schemaBodyJson(Missing)(response), ({ missing }) => missing)
      )
    ),
    put: Effect.fn("BlobClient.put")(function* (ticket, bytes) {
      const name = sha256(bytes)
      if (yield* exists(ticket, name)) return name
      yield* ask(
        name,
        ticket,
        (base) =>
          HttpClientRequest.bodyUint8Array(HttpClientRequest.put(`${base}/${name}`), bytes, "application/octet-stream"),
        ({ status }) =>
          status === 404
            ? Effect.fail(new BlobError({ sha256: name, reason: "refused", detail: "a node answered 404" }))
            : Effect.void
      )
      return name
    }),
    get: Effect.fn("BlobClient.get")((ticket, name) =>
      ask(
        name,
        ticket,
        (base) => HttpClientRequest.get(`${base}/${name}`),
        Effect.fnUntraced(function* (response) {
          if (response.status === 404) {
            return yield* new BlobError({ sha256: name, reason: "missing", detail: "no node has it" })
          }
          const bytes = new Uint8Array(yield* response.arrayBuffer)
          if (sha256(bytes) === name) return bytes
          return yield* new BlobError({
            sha256: name,
            reason: "damaged",
            detail: "its bytes are not those of its name"
          })
        })
      )
    )
  })
})
