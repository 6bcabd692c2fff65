import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import { ByteSize, Effect } from "effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

export const bodyBytesMax = 32 * 1_048_576

const tooLarge = new ApiFailure({
  type: "request_too_large",
  message: "Request exceeds the maximum size of 32 MB"
})

/** Tables take no NUL in a text and no half of a surrogate pair. Only escapes can bring them. */
const suspicious = /\\u(0000|d[89a-f][0-9a-f]{2})/i

const storable = (text: string): boolean => text.isWellFormed() && !text.includes("\0")

const allStorable = (value: unknown): boolean => {
  const open: Array<unknown> = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one === "string" && !storable(one)) return false
    if (typeof one !== "object" || one === null) continue
    for (const [key, inner] of Object.entries(one)) {
      if (!storable(key)) return false
      open.push(inner)
    }
  }
  return true
}

const depthMax = 64

const tooDeep = (value: unknown): boolean => {
  let level: Array<unknown> = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return true
    const next: Array<unknown> = []
    for (const one of level) {
      if (typeof one === "object" && one !== null) for (const inner of Object.values(one)) next.push(inner)
    }
    level = next
  }
  return false
}

const checkType = (contentType: string | undefined): ApiFailure | undefined => {
  if (contentType === undefined) return undefined
  const [type, ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase())
  if (type !== "application/json") return invalid("The Content-Type must be application/json")
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "")
  return charset === undefined || charset === "utf-8" || charset === "utf8"
    ? undefined
    : invalid("The charset must be UTF-8", "unsupported_charset")
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** The JSON of a request's body, and the text that it was. */
export const readJson = Effect.fnUntraced(function* (request: HttpServerRequest) {
  const wrongType = checkType(request.headers["content-type"])
  if (wrongType !== undefined) return yield* wrongType
  if (Number(request.headers["content-length"] ?? 0) > bodyBytesMax) return yield* tooLarge
  const bytes = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(bodyBytesMax)),
    Effect.mapError(() => tooLarge)
  )
  return yield* Effect.try({
    try: () => {
      const text = utf8.decode(bytes)
      if (text.trim() === "") throw invalid("The request needs a JSON body")
      const value = JSON.parse(text) as unknown
      if (tooDeep(value)) throw invalid("The request body is nested too deeply")
      if (suspicious.test(text) && !allStorable(value)) {
        throw invalid("The request body holds a NUL character or half of a surrogate pair")
      }
      return { text, value }
    },
    catch: (error) => (error instanceof ApiFailure ? error : invalid("The request body is not valid JSON"))
  })
})
