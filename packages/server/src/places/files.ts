import { ApiFailure, attempt, conflict, invalid } from "@troupe/domain/api/ApiError"
import { fileNameOf, mimeTypeOf } from "@troupe/domain/api/compat/fileName"
import { makeCursor, readCursor } from "@troupe/domain/api/Page"
import type * as Api from "@troupe/domain/api/Places"
import type { Session } from "@troupe/domain/api/Sessions"
import type { Expected, FileInfo } from "@troupe/domain/runner/Files"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { hash } from "node:crypto"
import { basename } from "node:path/posix"
import { disposition } from "../files/download.ts"
import { Files } from "../files/Files.ts"
import { partOf, rangeOf, unsatisfied } from "../files/ranges.ts"
import { tooLarge as tooLargeToKeep } from "../files/Staging.ts"
import { readBytes } from "../gateway/Body.ts"
import { Idempotency, toResponse } from "../gateway/Idempotency.ts"
import { Caller, RequestId } from "../gateway/Requests.ts"
import { type Asked, answerOf } from "../gateway/Route.ts"
import { revoked } from "../gateway/revoked.ts"
import { frame, serve } from "../gateway/Sse.ts"
import { BlobStore } from "../log/BlobStore.ts"
import { Workplaces } from "../runners/Workplaces.ts"
import { placeFailure } from "./failures.ts"

const pageSizeDefault = 100
/** What goes to the runner with the call itself; more is fetched by it. */
const inlineBytesMax = 262_144
const fileBytesMax = 32 * 1_048_576
export const home = "."

const entryOf = (info: FileInfo): Api.FileEntry => ({
  type: "file_entry",
  path: info.path,
  kind: info.kind,
  size_bytes: info.size,
  mode: info.mode,
  modified_at: new Date(info.modifiedMs).toISOString(),
  version: info.version,
  target: info.target ?? null
})

const at = (session: Session) =>
  Effect.map(Caller, ({ workspaceId }) => ({ where: { workspaceId, sessionId: session.id }, id: session.id }))

export const list = Effect.fnUntraced(function* (session: Session, query: Asked<typeof Api.listFiles>["query"]) {
  const { id, where } = yield* at(session)
  const workplaces = yield* Workplaces
  const path = query.path ?? home
  const list = `files ${id} ${path}`
  const [after] = query.page === undefined ? [null] : yield* Effect.fromResult(readCursor(list, ["string"], query.page))
  const limit = query.limit ?? pageSizeDefault
  const page = yield* workplaces
    .call(where, "ListFiles", { path, after, limit })
    .pipe(Effect.mapError((error) => placeFailure(id, error)))
  return {
    data: page.entries.map(entryOf),
    next_page: page.next === null ? null : makeCursor(list, [page.next])
  }
})

/** What is known of the file itself. */
const find = Effect.fnUntraced(function* (session: Session, path: string) {
  const { id, where } = yield* at(session)
  const workplaces = yield* Workplaces
  // What is no directory is listed as itself.
  const { entries } = yield* workplaces
    .call(where, "ListFiles", { path, after: null, limit: 1 })
    .pipe(Effect.mapError((error) => placeFailure(id, error)))
  const [info] = entries
  if (info === undefined || basename(info.path) !== basename(path)) {
    return yield* invalid(`${path} is a directory`, "file_not_a_file")
  }
  if (info.kind !== "file") return yield* invalid(`${path} is no file but a ${info.kind}`, "file_not_a_file")
  return info
})

export const read = Effect.fnUntraced(function* (session: Session, path: string, request: HttpServerRequest) {
  const { where } = yield* at(session)
  const workplaces = yield* Workplaces
  const { size, version } = yield* find(session, path)
  const etag = `"${version}"`
  const range = rangeOf(request.headers, etag, size)
  if (range === null) return yield* unsatisfied(size)
  const part = partOf(range, size)
  return HttpServerResponse.stream(workplaces.stream(where, "ReadFile", { path, ...range }), {
    status: part.status,
    contentType: "application/octet-stream",
    contentLength: range.length,
    headers: {
      ...part.headers,
      "accept-ranges": "bytes",
      etag,
      "x-content-type-options": "nosniff",
      "content-disposition": disposition(basename(path).toWellFormed())
    }
  })
})

/** Makes a file of the session of what one at its place holds now. */
export const promote = Effect.fnUntraced(function* (session: Session, { filename: wanted, path }: Api.Promotion) {
  const { id, where } = yield* at(session)
  const workplaces = yield* Workplaces
  const files = yield* Files
  const found = yield* find(session, path)
  const mimeType = mimeTypeOf(wanted ?? path, undefined)
  const filename = yield* Effect.fromResult(attempt(() => fileNameOf(wanted ?? path, mimeType)))
  if (found.size > files.bytesMax) return yield* tooLargeToKeep(files.bytesMax)
  const content = workplaces
    .stream(where, "ReadFile", { path, offset: 0, length: found.size })
    .pipe(Stream.mapError((error) => placeFailure(id, error)))
  const staged = yield* files.stage(content)
  if (staged.bytes !== found.size) return yield* conflict(`${path} changed while it was read`)
  return yield* files.upload(staged, {
    ...{ filename, mimeType, expiresInSeconds: null },
    from: { sessionId: id, path: found.path }
  })
}, Effect.scoped)

const tooLarge = new ApiFailure({ type: "request_too_large", message: "A file has at most 32 MB here" })

const versionOf = (tag: string) => /^(?:W\/)?"(.*)"$/.exec(tag)?.[1] ?? tag

const expectedOf = (request: HttpServerRequest): Expected | null => {
  const match = request.headers["if-match"]
  if (match !== undefined) return { _tag: "Version", version: versionOf(match) }
  return request.headers["if-none-match"] === "*" ? { _tag: "Absent" } : null
}

const put = Effect.fnUntraced(function* (session: Session, path: string, bytes: Uint8Array, expected: Expected | null) {
  const { id, where } = yield* at(session)
  const workplaces = yield* Workplaces
  const blobs = yield* BlobStore
  const mediaType = "application/octet-stream"
  const content =
    bytes.length <= inlineBytesMax
      ? bytes
      : {
          sha256: yield* Effect.orDie(blobs.put(where.workspaceId, bytes, mediaType)),
          bytes: bytes.length,
          mediaType,
          preview: ""
        }
  const info = yield* workplaces
    .call(where, "WriteFile", { path, content, expected })
    .pipe(Effect.mapError((error) => placeFailure(id, error)))
  return entryOf(info)
})

export const write = Effect.fnUntraced(function* (session: Session, path: string, request: HttpServerRequest) {
  const caller = yield* Caller
  const { run } = yield* Idempotency
  const bytes = yield* readBytes(request, fileBytesMax, tooLarge)
  const { headers, url } = request
  const asked = () => {
    const held = JSON.stringify([headers["if-match"], headers["if-none-match"]])
    return `PUT ${url}\n${held}\n${hash("sha256", bytes, "hex")}`
  }
  const work = answerOf(put(session, path, bytes, expectedOf(request)))
  return toResponse(yield* run({ caller, key: headers["idempotency-key"], asked }, work))
})

export const remove = Effect.fnUntraced(function* (session: Session, path: string, recursive: boolean) {
  const { id, where } = yield* at(session)
  const workplaces = yield* Workplaces
  yield* workplaces
    .call(where, "DeleteFile", { path, recursive })
    .pipe(Effect.mapError((error) => placeFailure(id, error)))
  return { type: "working_file_deleted" as const, path }
})

export const watch = Effect.fnUntraced(function* (session: Session, path: string, request: HttpServerRequest) {
  const { where } = yield* at(session)
  const workplaces = yield* Workplaces
  const requestId = yield* RequestId
  const changes = workplaces.stream(where, "WatchFiles", { path })
  return yield* serve(request, requestId, ({ write }) =>
    Stream.runForEach(changes, (change) => write(frame(change.kind, JSON.stringify({ path: change.path })))).pipe(
      Effect.raceFirst(revoked(request)),
      // A stream that ends is opened again, and what could not be opened is told then.
      Effect.ignore
    )
  )
})
