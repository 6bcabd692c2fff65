import { invalid } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Files"
import { makeCursor, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import * as Uploads from "@troupe/domain/api/Uploads"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Layer } from "effect"
import type { Headers } from "effect/http/Headers"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import { type Asked, openRoute, rawRoute, route } from "../gateway/Route.ts"
import { download } from "./download.ts"
import { Files } from "./Files.ts"
import { upload } from "./upload.ts"
import { createUpload, sendUpload } from "./uploads.ts"

type Query = Asked<typeof Api.list>["query"]

/** Those that are named, as one page; what can't be found is left out. */
const idsOf = Effect.fnUntraced(function* (query: Query) {
  if (query["ids[]"] === undefined) return null
  const ids = [...new Set(query["ids[]"])]
  if (query.page !== undefined || query.limit !== undefined || query.after_id !== undefined) {
    return yield* invalid("ids: can't be combined with page, after_id or limit")
  }
  if (ids.length > Api.idsMax) return yield* invalid(`ids: takes at most ${Api.idsMax} ids`)
  return ids.filter((id) => id.startsWith("file_"))
})

/** Where a page begins: at a cursor, or behind a file that is named. */
const placeOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, { after_id, page }: Query) {
  if (page !== undefined) {
    if (after_id !== undefined) return yield* invalid("after_id: can't be combined with page")
    const [createdAt, fileId] = yield* Effect.fromResult(readCursor("files", ["number", "string"] as const, page))
    return { createdAt, fileId }
  }
  if (after_id === undefined) return null
  const { file } = yield* (yield* Files).find(workspaceId, after_id)
  return { createdAt: Date.parse(file.created_at), fileId: file.id }
})

/** Clients before 1.0 say so, and know pages by the ids of their ends. */
const isOld = (headers: Headers): boolean =>
  /(^|,)\s*files-api-2025-04-14\s*(,|$)/.test(headers["anthropic-beta"] ?? "")

const oldPage = (data: ReadonlyArray<Api.File>, has_more: boolean) => ({
  data,
  has_more,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null
})

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.gen(function* () {
    const files = yield* Files
    const ids = yield* idsOf(query)
    const limit = ids === null ? (query.limit ?? pageSizeDefault) : Api.idsMax
    const { headers } = yield* HttpServerRequest
    const found = yield* files.list(caller.workspaceId, {
      sessionId: query.scope_id ?? null,
      ids,
      after: yield* placeOf(caller.workspaceId, query),
      limit: limit + 1
    })
    const data = found.slice(0, limit)
    const last = data.at(-1)
    const more = found.length > limit && last !== undefined
    const page = { data, next_page: more ? makeCursor("files", [Date.parse(last.created_at), last.id]) : null }
    return isOld(headers) ? (oldPage(data, more) as never as typeof page) : page
  })
)

const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(Files, (files) => Effect.map(files.find(caller.workspaceId, params.id), ({ file }) => file))
)

const remove = route(Api.remove, "write", ({ params }) =>
  Effect.flatMap(Files, (files) => Effect.as(files.remove(params.id), { id: params.id, type: "file_deleted" as const }))
)

/** `origin`: what addresses of uploads begin with, where that is not how the request came. */
export const routes = (origin: string | null) =>
  Layer.mergeAll(
    rawRoute(Api.upload, "write", upload),
    list,
    retrieve,
    rawRoute(Api.download, "read", download),
    remove,
    route(Uploads.create, "write", createUpload(origin), { isMadeAnew: true }),
    openRoute(Uploads.send, ({ query }, request) => sendUpload(query, request))
  )
