import type * as Api from "@troupe/domain/api/Files"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Asked } from "../gateway/Route.ts"
import { Files } from "./Files.ts"
import { partOf, rangeOf, unsatisfied } from "./ranges.ts"

/** The name for programs of every age: what is not ASCII is in the second form alone. */
export const disposition = (filename: string): string => {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(filename).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** What keeps a browser from showing a file of somebody's as a page of ours. */
const inert = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "private, no-cache"
}

/** Sends a file's content, or the part of it that is asked for. */
export const download = Effect.fn("download")(function* (
  { caller, params }: Asked<typeof Api.download>,
  request: HttpServerRequest
) {
  const files = yield* Files
  const known = yield* files.find(caller.workspaceId, params.id)
  const { filename, mime_type, size_bytes } = known.file
  const etag = `"${known.sha256}"`
  const range = rangeOf(request.headers, etag, size_bytes)
  if (range === null) return yield* unsatisfied(size_bytes)
  const headers = { ...inert, etag, "accept-ranges": "bytes", "content-disposition": disposition(filename) }
  if (request.headers["if-none-match"] === etag) return HttpServerResponse.empty({ status: 304, headers })
  const part = partOf(range, size_bytes)
  return HttpServerResponse.stream(request.method === "HEAD" ? Stream.empty : yield* files.content(known, range), {
    status: part.status,
    contentType: mime_type,
    contentLength: range.length,
    headers: { ...headers, ...part.headers }
  })
})
