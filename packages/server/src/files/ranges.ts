import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Effect } from "effect"
import type { Headers } from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { failureResponse, RequestId } from "../gateway/Requests.ts"
import type { Range } from "./Contents.ts"

/**
 * The one range that a request asks for; the whole where it asks for none, for one of other content, or for something that
 * is not understood, which a server may pass by; null where nothing of the file is in it.
 */
export const rangeOf = (headers: Headers, etag: string, bytes: number): Range | null => {
  const whole = { offset: 0, length: bytes }
  if ((headers["if-range"] ?? etag) !== etag) return whole
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers["range"]?.trim() ?? "") ?? []
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

/** How a range stands in an answer: nothing of it where it is the whole. */
export const partOf = ({ length, offset }: Range, bytes: number) =>
  length < bytes
    ? { status: 206, headers: { "content-range": `bytes ${offset}-${offset + length - 1}/${bytes}` } }
    : { status: 200, headers: {} }

const nothing = new ApiFailure({
  type: "invalid_request_error",
  status: 416,
  message: "Range: nothing of the file is in it"
})

/** The answer to a range that nothing of the file is in. */
export const unsatisfied = (bytes: number) =>
  Effect.map(RequestId, (requestId) =>
    HttpServerResponse.setHeader(failureResponse(nothing, requestId), "content-range", `bytes */${bytes}`)
  )
