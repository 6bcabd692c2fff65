import { invalid } from "@troupe/domain/api/ApiError"
import type * as Api from "@troupe/domain/api/Feed"
import type { Runner } from "@troupe/domain/api/Workspace"
import type { WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Effect } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { RequestId } from "../gateway/Requests.ts"
import type { Asked } from "../gateway/Route.ts"
import * as Sse from "../gateway/Sse.ts"
import { RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { runnerOut } from "../workspace/routes.ts"
import { summariesOf } from "./ChangeReads.ts"
import { cursorText, readCursor } from "./FeedCursor.ts"
import { type Batch, WorkspaceFeed } from "./WorkspaceFeed.ts"

const runnersEveryMs = 2_000
/** How often a reader of a quiet workspace is told how far it has come, so that it need not be told again. */
const atEveryMs = 10_000
/** How long a reader may take nothing while there is something to take. */
const slowAfterMs = 30_000

const placeOf = Effect.fnUntraced(function* (after: string | undefined, request: HttpServerRequest) {
  const resumed = request.headers["last-event-id"]
  const text = resumed === undefined || resumed === "" ? after : resumed
  if (text === undefined) return null
  return readCursor(text) ?? (yield* invalid("after: takes the id of an event of this stream"))
})

const write = (change: Api.WorkspaceChange, id?: string) => Sse.frame(change.type, JSON.stringify(change), id)

/** A batch as it is sent. A session is shown as it is now, once, at the last of its changes. */
const textOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, { changes, cursor, reset }: Batch) {
  if (reset) return write({ type: "reset" }, cursorText(cursor))
  const last = new Map<string, number>()
  for (const [index, { change }] of changes.entries()) if (change.type === "session") last.set(change.sessionId, index)
  const summaries = yield* summariesOf(workspaceId, [...last.keys()])
  let text = ""
  for (const [index, { change, cursor: at }] of changes.entries()) {
    if (change.type === "runner") continue
    if (change.type !== "session") {
      text += write(change, cursorText(at))
      continue
    }
    const session = last.get(change.sessionId) === index ? summaries.get(change.sessionId) : undefined
    if (session !== undefined) text += write({ type: "session.changed", session }, cursorText(at))
  }
  return text
})

/** Runners come and go without a word in any log: what is shown of one is compared with what was told of it last. */
const runners = Effect.fnUntraced(function* (workspaceId: WorkspaceId, { write: send }: Sse.Wire) {
  const registry = yield* RunnerRegistry
  const told = new Map<string, string>()
  while (true) {
    let text = ""
    for (const known of yield* registry.list(workspaceId)) {
      const runner: Runner = runnerOut(known)
      // How much it has to do changes all the time, and is asked for where it matters.
      const standing = JSON.stringify({ ...runner, attempts: 0, sessions: 0 })
      if (told.get(runner.id) === standing) continue
      told.set(runner.id, standing)
      text += write({ type: "runner.changed", runner })
    }
    if (text !== "") yield* Effect.timeout(send(text), slowAfterMs)
    yield* Effect.sleep(runnersEveryMs)
  }
})

/** What happens in a workspace, from a place on or from now on. */
export const streamWorkspace = Effect.fn("streamWorkspace")(function* (
  { caller, query }: Asked<typeof Api.workspaceStream>,
  request: HttpServerRequest
) {
  const { workspaceId } = caller
  const feed = yield* WorkspaceFeed
  const requestId = yield* RequestId
  const reader = yield* feed.open(workspaceId, yield* placeOf(query.after, request))

  const follow = (wire: Sse.Wire) =>
    Effect.gen(function* () {
      let saidAt = yield* Clock.currentTimeMillis
      while (true) {
        const batch = yield* reader.take
        const now = yield* Clock.currentTimeMillis
        const told = yield* textOf(workspaceId, batch)
        const text = told === "" && now - saidAt >= atEveryMs ? write({ type: "at" }, cursorText(batch.cursor)) : told
        if (text === "") continue
        saidAt = now
        yield* Effect.timeout(wire.write(text), slowAfterMs)
      }
    })

  const begin = (wire: Sse.Wire) => wire.write(write({ type: "at" }, cursorText(reader.begins)))
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof follow> | ReturnType<typeof runners>>>()
  return yield* Sse.follow(request, requestId, (wire) =>
    Effect.andThen(begin(wire), Effect.raceFirst(follow(wire), runners(workspaceId, wire))).pipe(
      // A slow reader, a broken database and a node that goes all end the stream: the client opens another one.
      Effect.catch(() => Effect.void),
      Effect.provideContext(context)
    )
  )
})
