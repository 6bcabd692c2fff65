import { ApiFailure } from "@troupe/domain/api/ApiError"
import type * as Api from "@troupe/domain/api/Files"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { failureResponse, RequestId } from "../gateway/Requests.ts"
import type { Asked } from "../gateway/Route.ts"
import type { Range } from "./Contents.ts"
import { Files } from "./Files.ts"

/**
 * The one range that a request asks for; the whole where it asks for none, or for something that is not understood, which
 * a server may pass by; null where nothing of the file is in it.
 */
export const rangeOf = (header: string | undefined, bytes: number): Range | null => {
  const whole = { offset: 0, length: bytes }
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? []
  if (first === "" && last === "") return whole
  if (first === "") {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? null : { offset: bytes - length, length }
  }
  const offset = Number(first)
  const end = last === "" ? bytes : Math.min(Number(last) + 1, bytes)
  if (last !== "" && Number(last) < offset) return whole
  return offset >= bytes ? null : { offset, length: end - offset }
}

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

const unsatisfied = new ApiFailure({
  type: "invalid_request_error",
  status: 416,
  message: "Range: nothing of the file is in it"
})

/** Sends a file's content, or the part of it that is asked for. */
export const download = Effect.fn("download")(function* (
  { caller, params }: Asked<typeof Api.download>,
  request: HttpServerRequest
) {
  const files = yield* Files
  const known = yield* files.find(caller.workspaceId, params.id)
  const { filename, mime_type, size_bytes } = known.file
  const etag = `"${known.sha256}"`
  const asked = request.headers["if-range"] ?? etag
  const range = rangeOf(asked === etag ? request.headers["range"] : undefined, size_bytes)
  if (range === null) {
    return HttpServerResponse.setHeader(
      failureResponse(unsatisfied, yield* RequestId),
      "content-range",
      `bytes */${size_bytes}`
    )
  }
  const headers = { ...inert, etag, "accept-ranges": "bytes", "content-disposition": disposition(filename) }
  if (request.headers["if-none-match"] === etag) return HttpServerResponse.empty({ status: 304, headers })
  const part = range.length < size_bytes
  const last = range.offset + range.length - 1
  return HttpServerResponse.stream(request.method === "HEAD" ? Stream.empty : yield* files.content(known, range), {
    status: part ? 206 : 200,
    contentType: mime_type,
    contentLength: range.length,
    headers: part ? { ...headers, "content-range": `bytes ${range.offset}-${last}/${size_bytes}` } : headers
  })
})
