import type { WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect, Layer, Option, Redacted, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { Contents, unavailable } from "./Contents.ts"
import type { S3Config } from "./FilesConfig.ts"
import { readPieces } from "./readPieces.ts"
import { signed } from "./s3Signature.ts"
import { temporary } from "./Staging.ts"

const pieceBytes = 256 * 1_024
/** For an answer to begin. */
const answerWithinMs = 60_000
const putWithinMs = 30 * 60_000

const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

interface Asked {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE"
  readonly headers?: Readonly<Record<string, string>>
  readonly sha256?: string
  readonly body?: { readonly content: Stream.Stream<Uint8Array, unknown>; readonly bytes: number }
}

/** In a bucket of S3, or of what speaks like it. Buckets are named in the path, which all of them understand. */
export const layer = (config: S3Config): Layer.Layer<Contents, never, HttpClient.HttpClient> =>
  Layer.effect(
    Contents,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const { accessKeyId, bucket, endpoint, prefix, region, secretAccessKey } = config
      const key = { region, accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }

      const urlOf = (workspaceId: WorkspaceId, sha256: string) =>
        new URL(`${endpoint.replace(/\/+$/, "")}/${bucket}/${prefix}${workspaceId}/${sha256}`)

      const ask = Effect.fnUntraced(function* (url: URL, { body, headers = {}, method, sha256 = emptySha256 }: Asked) {
        const at = new Date(yield* Clock.currentTimeMillis)
        const request = HttpClientRequest.make(method)(url).pipe(
          HttpClientRequest.setHeaders(signed({ method, url, headers, sha256 }, key, at))
        )
        return yield* client.execute(
          body === undefined
            ? request
            : HttpClientRequest.bodyStream(request, body.content, {
                contentType: "application/octet-stream",
                contentLength: body.bytes
              })
        )
      })

      /** The body of a refusal says why, in XML; what it says is for the log of this node. */
      const refused = Effect.fnUntraced(function* (operation: string, response: HttpClientResponse) {
        const text = yield* Effect.orElseSucceed(response.text, () => "")
        return yield* unavailable(operation)(new Error(`the bucket answered ${response.status}: ${text.slice(0, 500)}`))
      })

      const failing = <A, E, R>(operation: string, withinMs: number, effect: Effect.Effect<A, E, R>) =>
        effect.pipe(Effect.timeout(withinMs), Effect.mapError(unavailable(operation)))

      const put: Contents["Service"]["put"] = Effect.fn("Contents.put")(function* (workspaceId, staged) {
        const { bytes, path, sha256 } = staged
        const url = urlOf(workspaceId, sha256)
        const there = yield* failing("put", answerWithinMs, ask(url, { method: "HEAD" }))
        if (there.status === 200) return
        const content = readPieces(path, { offset: 0, length: bytes }, pieceBytes)
        const response = yield* failing(
          "put",
          putWithinMs,
          ask(url, { method: "PUT", sha256, body: { content, bytes } })
        )
        if (response.status !== 200) return yield* refused("put", response)
      })

      const read: Contents["Service"]["read"] = Effect.fn("Contents.read")(function* (name, { length, offset }) {
        const url = urlOf(name.workspaceId, name.sha256)
        const whole = offset === 0 && length === name.bytes
        const headers: Record<string, string> = whole ? {} : { range: `bytes=${offset}-${offset + length - 1}` }
        // Nothing of a file that has something is no range.
        const method = length === 0 && !whole ? "HEAD" : "GET"
        const asked: Asked = method === "HEAD" ? { method } : { method, headers }
        const response = yield* failing("read", answerWithinMs, ask(url, asked))
        if (response.status === 404) return Option.none()
        if (response.status !== (whole || method === "HEAD" ? 200 : 206)) return yield* refused("read", response)
        return Option.some(method === "HEAD" ? Stream.empty : Stream.mapError(response.stream, unavailable("read")))
      })

      const remove: Contents["Service"]["remove"] = Effect.fn("Contents.remove")(function* (workspaceId, sha256) {
        const url = urlOf(workspaceId, sha256)
        const response = yield* failing("remove", answerWithinMs, ask(url, { method: "DELETE" }))
        if (![200, 204, 404].includes(response.status)) return yield* refused("remove", response)
      })

      return Contents.of({ staging: yield* temporary, put, read, remove })
    })
  )
