import { Effect, Option, Redacted } from "effect"
import type { Headers } from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Minting } from "../log/Minting.ts"

const statuses = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  api_error: 500
} as const
export type ApiErrorType = keyof typeof statuses

/** An error in the shape that clients of the compatible API know. */
export const apiError = Effect.fnUntraced(function* (
  type: ApiErrorType,
  message: string,
  status: number = statuses[type]
) {
  const { salt } = yield* Minting
  const request_id = `req_${salt()}`
  return HttpServerResponse.jsonUnsafe(
    { type: "error", error: { type, message }, request_id },
    { status, headers: { "request-id": request_id } }
  )
})

/** What a request shows to be let in, as plain text: for those who look at it and let it go. */
export const shownText = ({ authorization, "x-api-key": key }: Headers): string | undefined => {
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  const secret = bearer ?? key
  return secret === "" ? undefined : secret
}

/** What a request shows to be let in: `Authorization: Bearer …`, or `x-api-key`. */
export const shownSecret = (headers: Headers): Option.Option<Redacted.Redacted> => {
  const secret = shownText(headers)
  return secret === undefined ? Option.none() : Option.some(Redacted.make(secret))
}
