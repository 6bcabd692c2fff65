import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Replay"
import type { JsonObject } from "@troupe/domain/Json"
import * as Fold from "@troupe/domain/replay/Fold"
import { foldVersion } from "@troupe/domain/session/SessionState"
import { Effect, Layer, Stream } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type Asked, rawRoute, route } from "../gateway/Route.ts"
import type { StoreUnavailable } from "../log/EventStore.ts"
import { forkSession } from "../sessions/forkSession.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { explain } from "./explain.ts"
import { exportBundle } from "./exportBundle.ts"
import { Folds } from "./Folds.ts"
import { readModelRequest } from "./readModelRequest.ts"
import { readOutput } from "./readOutput.ts"
import { verifySession } from "./verifySession.ts"

type Named = Pick<Asked<typeof Api.state>, "caller" | "params">

/** The session, if the caller's workspace has it. */
const viewed = ({ caller, params }: { readonly caller: Named["caller"]; readonly params: Named["params"] }) =>
  Effect.flatMap(SessionReads, (reads) => reads.find(caller.workspaceId, params.id))

const away = new ApiFailure({
  type: "api_error",
  status: 503,
  message: "The log can't be read right now",
  retryAfterMs: 500
})

/** Long readings, one after the other. */
const reading = <A, E, R>(work: Effect.Effect<A, E | StoreUnavailable, R>) =>
  Effect.flatMap(Folds, ({ inTurn }) => inTurn(work)).pipe(
    Effect.mapError((error) =>
      (error as { readonly _tag?: string })._tag === "StoreUnavailable" ? away : (error as Exclude<E, StoreUnavailable>)
    )
  )

const refuseBeyond = (seq: number, version: number, name: string) =>
  seq > version ? Effect.fail(invalid(`${name}: the log ends at ${version}`)) : Effect.void

const state = route(Api.state, "read", (asked) =>
  Effect.gen(function* () {
    const { session } = yield* viewed(asked)
    const folds = yield* Folds
    const { version } = yield* folds.head(session.id)
    const at = asked.query.at ?? version
    yield* refuseBeyond(at, version, "at")
    const folded = yield* folds.at(session.id, at)
    return {
      type: "session_state" as const,
      session_id: session.id,
      seq: at,
      fold_version: foldVersion,
      state: Fold.toJson(folded.state) as JsonObject
    }
  }).pipe(reading)
)

const diff = route(Api.diff, "read", (asked) =>
  Effect.gen(function* () {
    const { session } = yield* viewed(asked)
    const folds = yield* Folds
    const { version } = yield* folds.head(session.id)
    const { from } = asked.query
    const to = asked.query.to ?? version
    yield* refuseBeyond(from, version, "from")
    yield* refuseBeyond(to, version, "to")
    const [low, high] = from <= to ? [from, to] : [to, from]
    const early = yield* folds.at(session.id, low)
    const late = yield* folds.onTo(session.id, early, high)
    const patch = from <= to ? Fold.diff(early.state, late.state) : Fold.diff(late.state, early.state)
    return {
      type: "session_diff" as const,
      session_id: session.id,
      from,
      to,
      fold_version: foldVersion,
      patch: patch as unknown as ReadonlyArray<JsonObject>
    }
  }).pipe(reading)
)

const why = route(Api.why, "read", (asked) =>
  Effect.flatMap(viewed(asked), ({ session }) => explain(session.id, asked.params.seq)).pipe(reading)
)

const verify = route(Api.verify, "read", (asked) =>
  Effect.flatMap(viewed(asked), ({ session }) => verifySession(session.id, asked.query.level === "1" ? 1 : 0)).pipe(
    reading
  )
)

const exported = rawRoute(Api.exported, "read", (asked) =>
  Effect.gen(function* () {
    const { session } = yield* viewed(asked)
    const lines = yield* Effect.catchTag(exportBundle(session.id), "StoreUnavailable", () => Effect.fail(away))
    return HttpServerResponse.stream(Stream.encodeText(lines), {
      contentType: "application/x-ndjson",
      headers: { "content-disposition": `attachment; filename="${session.id}.jsonl"` }
    })
  })
)

const output = rawRoute(Api.output, "read", (asked) =>
  Effect.gen(function* () {
    const { around, session } = yield* viewed(asked)
    const { all, turn } = asked.query
    if (turn !== undefined && all === "true") return yield* invalid("turn: is not taken together with all")
    const query = { turn: turn ?? null, all: all === "true" }
    const text = yield* readOutput(session.id, asked.caller.workspaceId, around.primary, query)
    return HttpServerResponse.text(text, { contentType: "text/plain; charset=utf-8" })
  })
)

const modelRequest = route(Api.modelRequest, "read", (asked) =>
  Effect.gen(function* () {
    const { caller, params } = asked
    const { session } = yield* viewed({ caller, params: { id: params.id } })
    return yield* readModelRequest(session.id, caller.workspaceId, params.request_id)
  })
)

const fork = route(Api.fork, "write", (asked) =>
  Effect.gen(function* () {
    const view = yield* viewed(asked)
    const id = yield* forkSession(view, asked.payload)
    return (yield* viewed({ caller: asked.caller, params: { id } })).session
  }).pipe(reading)
)

export const routes = Layer.mergeAll(state, diff, why, verify, exported, output, modelRequest, fork)
