import { FileId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import { makeAsk } from "./askNode.ts"
import { BlobError } from "./BlobError.ts"
import { bodyOf } from "./bodyOf.ts"

/** Of a file, all of it: they may be large, and links slow. */
const carriedWithinMs = 30 * 60_000
const toldWithinMs = 60_000

export interface Content {
  readonly sha256: string
  readonly bytes: number
}

/** What an agent made. */
export interface Made extends Content {
  /** Below the outputs. */
  readonly path: string
}

const Told = Schema.Struct({ file_id: FileId })

/** The files that a session was given, and those that its agent made, by plain HTTP and in streams. */
export class FileClient extends Context.Service<
  FileClient,
  {
    /** Puts content into a file of ours; none but that which the hash names. */
    readonly get: (ticket: string, content: Content, into: string) => Effect.Effect<void, BlobError>
    /** Makes a file of the session of what its agent made. The content is asked for where no node has it. */
    readonly tell: (
      ticket: string,
      made: Made,
      content: Stream.Stream<Uint8Array, unknown>
    ) => Effect.Effect<FileId, BlobError>
  }
>()("runner/FileClient") {
  static readonly layer = (servers: ReadonlyArray<string>) => Layer.effect(FileClient, make(servers))
}

const untaken = (cause: unknown) =>
  new BlobError({ sha256: null, reason: "refused", detail: `this host did not take it: ${String(cause)}` })

/** Writes a body to a file, and answers the hash of what came. */
const write = (body: Stream.Stream<Uint8Array, BlobError | HttpClientError>, into: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* Effect.acquireRelease(
        Effect.tryPromise({ try: () => open(into, "w", 0o600), catch: untaken }),
        (opened) => Effect.promise(() => opened.close())
      )
      const digest = createHash("sha256")
      yield* Stream.runForEach(body, (piece) => {
        digest.update(piece)
        return Effect.tryPromise({
          try: () => file.writeFile(piece),
          catch: untaken
        })
      })
      return digest.digest("hex")
    })
  )

const make = Effect.fnUntraced(function* (servers: ReadonlyArray<string>) {
  const ask = yield* makeAsk(servers)
  const missing = (sha256: string) => new BlobError({ sha256, reason: "missing", detail: "no node has it" })

  const get: FileClient["Service"]["get"] = Effect.fn("FileClient.get")((ticket, { bytes, sha256 }, into) =>
    ask({
      name: sha256,
      ticket,
      withinMs: carriedWithinMs,
      request: (server) => HttpClientRequest.get(`${server}/v1/runners/contents/${sha256}`),
      read: Effect.fnUntraced(function* (response) {
        if (response.status === 404) return yield* missing(sha256)
        if ((yield* write(bodyOf(response, { sha256, bytesMax: bytes }), into)) === sha256) return
        return yield* new BlobError({ sha256, reason: "damaged", detail: "its bytes are not those of its name" })
      })
    })
  )

  const put = (ticket: string, { bytes, sha256 }: Made, content: Stream.Stream<Uint8Array, unknown>) =>
    ask({
      name: sha256,
      ticket,
      withinMs: carriedWithinMs,
      request: (server) =>
        HttpClientRequest.bodyStream(HttpClientRequest.put(`${server}/v1/runners/contents/${sha256}`), content, {
          contentType: "application/octet-stream",
          contentLength: bytes
        }),
      read: ({ status }) => (status === 404 ? Effect.fail(missing(sha256)) : Effect.void)
    })

  const say = (ticket: string, { path, sha256 }: Made) =>
    ask({
      name: sha256,
      ticket,
      withinMs: toldWithinMs,
      request: (server) =>
        HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${server}/v1/runners/outputs`), { path, sha256 }),
      read: (response) =>
        response.status === 404
          ? Effect.fail(missing(sha256))
          : Effect.map(HttpClientResponse.schemaBodyJson(Told)(response), ({ file_id }) => file_id)
    })

  const tell: FileClient["Service"]["tell"] = Effect.fn("FileClient.tell")((ticket, made, content) =>
    Effect.catchIf(
      say(ticket, made),
      ({ reason }) => reason === "missing",
      () => Effect.andThen(put(ticket, made, content), say(ticket, made))
    )
  )

  return FileClient.of({ get, tell })
})
