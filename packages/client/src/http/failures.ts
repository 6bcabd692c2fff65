import { errorTypeOf, isRecord } from "./reading.ts"
import { type ApiError, apiErrorOf } from "../errors.ts"
import { retryAfterOf } from "./retry.ts"

const requestIdOf = (response: Response): string | null => response.headers.get("request-id")

const said = { true: true, false: false } as Readonly<Record<string, boolean>>

/** The error that an answer is, whether it is the API's own or that of a proxy before it. */
export const failureOf = (response: Response, text: string): ApiError => {
  const { headers, status } = response
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = null
  }
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : {}
  const details = isRecord(error["details"]) ? error["details"] : {}
  const { message } = error
  const { error_code: code, queue_version: queueVersion } = details
  const named = isRecord(body) ? body["request_id"] : null
  return apiErrorOf({
    status,
    type: errorTypeOf(error["type"]),
    code: typeof code === "string" ? code : null,
    message: typeof message === "string" ? message : `The server answered ${status} ${response.statusText}`.trimEnd(),
    requestId: requestIdOf(response) ?? (typeof named === "string" ? named : null),
    queueVersion: typeof queueVersion === "number" ? queueVersion : null,
    retryAfterMs: retryAfterOf(headers, Date.now()),
    shouldRetry: said[headers.get("x-should-retry") ?? ""] ?? null
  })
}
