import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { roomOf, smallBytes } from "./BodyRoom.ts"
import { unstorableText } from "../session/unstorableText.ts"
import { jsonFault } from "./jsonFault.ts"
import { shapeRefused } from "./JsonShape.ts"

export const bodyBytesMax = 32 * 1_048_576

const tooLarge = (bytesMax: number) => {
  const size = bytesMax === bodyBytesMax ? "32 MB" : `${bytesMax} bytes`
  return new ApiFailure({ type: "request_too_large", message: `Request exceeds the maximum size of ${size}` })
}

/** What no table takes in a text can come only by escapes. */
const suspicious = /\\u(0000|d[89a-f][0-9a-f]{2})/i

/** How long a body may take to come: at a million bits a second, the largest one takes less. */
export const jsonWithinMs = 300_000

const brokeOff = invalid("The body broke off")
/** What comes of a body, as it comes. */
export const piecesOf = (request: HttpServerRequest) =>
  request.stream.pipe(Stream.catchTag("HttpServerError", () => Stream.fail(brokeOff)))
const tooSlow = invalid("The request body did not come in time", "request_body_timeout")

const checkEncoding = (encoding: string | undefined): ApiFailure | undefined =>
  encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding)
    ? undefined
    : new ApiFailure({
        type: "invalid_request_error",
        status: 415,
        message: "The request body must come without a Content-Encoding"
      })

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

/** All of a body, for as long as the scope is open: so long it has its place among what the node has room for. */
export const readBytes = Effect.fnUntraced(function* (request: HttpServerRequest, bytesMax: number, large: ApiFailure) {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return yield* large
  const room = yield* roomOf
  const chunks: Array<Uint8Array> = []
  let bytes = 0
  yield* Stream.runForEach(piecesOf(request), (chunk) => {
    bytes += chunk.length
    if (bytes > bytesMax) return Effect.fail(large)
    chunks.push(chunk)
    return room.take(chunk.length)
  })
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
})

/** Whether a body says that it is small, and comes without being asked for. */
const isSmall = ({ headers }: HttpServerRequest): boolean =>
  Number(headers["content-length"] ?? Number.NaN) <= smallBytes && headers["expect"] === undefined

/** The same for a small body, as nearly all are: straight from the request, as a stream would cost more than all else. */
const readSmall = (request: HttpServerRequest) =>
  Effect.callback<Uint8Array, ApiFailure>((resume) => {
    const source = NodeHttpServerRequest.toIncomingMessage(request)
    const chunks: Array<Buffer> = []
    const take = (chunk: Buffer) => void chunks.push(chunk)
    const end = () => over(Effect.succeed(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    const broke = () => over(Effect.fail(brokeOff))
    const patience = setTimeout(() => over(Effect.fail(tooSlow)), jsonWithinMs)
    source.on("data", take).on("end", end).on("error", broke).on("close", broke)
    const leave = () => {
      clearTimeout(patience)
      source.off("data", take).off("end", end).off("error", broke).off("close", broke)
      if (!source.complete) source.pause()
    }
    const over = (result: Effect.Effect<Uint8Array, ApiFailure>) => {
      leave()
      resume(result)
    }
    return Effect.sync(leave)
  })

const readLarge = (request: HttpServerRequest, bytesMax: number) =>
  Effect.timeoutOrElse(readBytes(request, bytesMax, tooLarge(bytesMax)), {
    duration: jsonWithinMs,
    orElse: () => Effect.fail(tooSlow)
  })

const utf8 = new TextDecoder("utf-8", { fatal: true })

const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalid("The request body is not valid JSON: it is not in UTF-8")
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(`The request body is not valid JSON: ${jsonFault(text) ?? "it can't be read"}`)
  }
}

/** The JSON of a request's body, and the text that it was. */
export const readJson = Effect.fnUntraced(function* (request: HttpServerRequest, bytesMax = bodyBytesMax) {
  const { headers } = request
  const wrongType = checkType(headers["content-type"]) ?? checkEncoding(headers["content-encoding"])
  if (wrongType !== undefined) return yield* wrongType
  const bytes = yield* isSmall(request) ? readSmall(request) : readLarge(request, bytesMax)
  const refused = shapeRefused(bytes)
  if (refused !== undefined) return yield* refused
  return yield* Effect.try({
    try: () => {
      const text = textOf(bytes)
      if (text.trim() === "") throw invalid("The request needs a JSON body")
      const value = parsed(text)
      const field = suspicious.test(text) ? unstorableText(value) : null
      if (field !== null) {
        const where = field === "" ? "The request body" : field
        throw invalid(`${where}: Holds a NUL character or half of a surrogate pair`)
      }
      return { text, value }
    },
    catch: (error) => (error instanceof ApiFailure ? error : invalid("The request body can't be read"))
  })
})
