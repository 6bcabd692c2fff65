import { Sha256Hex } from "@troupe/domain/log/Envelope"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createHash } from "node:crypto"
import { makeAsk } from "./askNode.ts"
import { BlobError } from "./BlobError.ts"
import { bodyOf } from "./bodyOf.ts"

const timeoutMs = 60_000
/** As nodes take them. */
export const bytesMax = 8 * 1_048_576

const Missing = Schema.Struct({ missing: Schema.Array(Sha256Hex) })

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** A session's large content, by plain HTTP to whatever node answers. The ticket opens the door for that session alone. */
export class BlobClient extends Context.Service<
  BlobClient,
  {
    readonly exists: (ticket: string, sha256: string) => Effect.Effect<boolean, BlobError>
    /** Which of these the node does not have. */
    readonly missing: (ticket: string, sha256: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, BlobError>
    /** Stores the bytes, unless they are there; their hash. Who knows that they are missing spares the question. */
    readonly put: (ticket: string, bytes: Uint8Array, isMissing?: boolean) => Effect.Effect<string, BlobError>
    /** The bytes, and none but those that the hash names. */
    readonly get: (ticket: string, sha256: string) => Effect.Effect<Uint8Array, BlobError>
  }
>()("runner/BlobClient") {
  static readonly layer = (servers: ReadonlyArray<string>) => Layer.effect(BlobClient, make(servers))
}

const make = Effect.fnUntraced(function* (servers: ReadonlyArray<string>) {
  const askNode = yield* makeAsk(servers)

  const ask = <A>(
    name: string | null,
    ticket: string,
    request: (base: string) => HttpClientRequest.HttpClientRequest,
    read: (
      response: HttpClientResponse.HttpClientResponse
    ) => Effect.Effect<A, BlobError | HttpClientError | Schema.SchemaError>
  ): Effect.Effect<A, BlobError> =>
    askNode({
      name,
      ticket,
      withinMs: timeoutMs,
      request: (server) => request(`${server}/v1/runners/blobs`),
      read
    })

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
    put: Effect.fn("BlobClient.put")(function* (ticket, bytes, isMissing = false) {
      const name = sha256(bytes)
      if (!isMissing && (yield* exists(ticket, name))) return name
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
          const pieces = yield* Stream.runCollect(bodyOf(response, { sha256: name, bytesMax }))
          const bytes = new Uint8Array(Buffer.concat(pieces))
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
