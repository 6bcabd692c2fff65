import { endingOf } from "./exec.ts"
import type * as Api from "@troupe/domain/api/Places"
import type { Session } from "@troupe/domain/api/Sessions"
import { Effect, Option, Schema, Stream } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Socket from "effect/socket/Socket"
import { caughtUp } from "../gateway/drained.ts"
import { listening } from "../gateway/listening.ts"
import { Caller } from "../gateway/Requests.ts"
import { revoked } from "../gateway/revoked.ts"
import { upgrading } from "../gateway/upgrading.ts"
import type { Asked } from "../gateway/Route.ts"
import { Workplaces } from "../runners/Workplaces.ts"
import { command } from "../sessions/SessionCalls.ts"
import { placeFailure } from "./failures.ts"

/** What a client says besides keystrokes, which come as bytes. */
const Told = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({
      type: Schema.Literal("resize"),
      columns: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })),
      rows: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))
    }),
    Schema.Struct({ type: Schema.Literal("close") })
  ])
)
const decodeTold = Schema.decodeUnknownOption(Told)

const keysMax = 65_536
const closes = {
  ended: new Socket.CloseEvent(1000, "the terminal ended"),
  garbage: new Socket.CloseEvent(4400, "what came is no message of this protocol"),
  revoked: new Socket.CloseEvent(4401, "the key opens nothing any more"),
  broke: new Socket.CloseEvent(1013, "try again")
}

/**
 * A terminal over a WebSocket. It goes on when the connection ends: whoever comes back names it, and the byte up to which
 * its output was seen.
 */
export const terminal = Effect.fnUntraced(function* (
  session: Session,
  query: Asked<typeof Api.terminal>["query"],
  request: HttpServerRequest
) {
  const { workspaceId } = yield* Caller
  const workplaces = yield* Workplaces
  const where = { workspaceId, sessionId: session.id }
  const failed = (error: Parameters<typeof placeFailure>[1]) => placeFailure(session.id, error)
  const size = { columns: query.columns ?? 80, rows: query.rows ?? 24 }

  const cwd = query.cwd ?? null
  const isNew = query.terminal_id === undefined
  const terminalId =
    query.terminal_id ??
    (yield* Effect.mapError(workplaces.call(where, "OpenTerminal", { size, cwd }), failed)).terminalId
  // Before the socket stands, a terminal that is not there can still be answered as HTTP does.
  yield* Effect.mapError(workplaces.call(where, "ResizeTerminal", { terminalId, size }), failed)

  // Browsers do not say why a socket was refused: they ask again without one, and nobody comes for what was opened then.
  const socket = yield* upgrading(request).pipe(
    Effect.onError(() => (isNew ? Effect.ignore(workplaces.call(where, "CloseTerminal", { terminalId })) : Effect.void))
  )
  if (isNew) {
    const event = { _tag: "TerminalOpened", terminalId, details: { cwd } } as const
    yield* Effect.ignore(command(session.id, { _tag: "Note", event }))
  }
  const writer = yield* socket.writer
  const reader = yield* Effect.orDie(socket.reader)
  const tell = (message: object) => writer.write(JSON.stringify(message))
  const after = query.after ?? 0

  const show = Effect.gen(function* () {
    let at = -1
    yield* Stream.runForEach(workplaces.stream(where, "ReadTerminal", { terminalId, after }), (output) =>
      Effect.gen(function* () {
        if (output._tag === "Ended") return yield* tell({ type: "ended", ending: endingOf(output.ending) })
        // Where it begins, and again where older output was kept no more.
        if (output.offset !== at) yield* tell({ type: "at", offset: output.offset })
        at = output.offset + output.bytes.length
        yield* writer.write(output.bytes)
        yield* caughtUp(request)
      })
    )
    const event = { _tag: "TerminalClosed", terminalId, details: {} } as const
    yield* Effect.ignore(command(session.id, { _tag: "Note", event }))
    return closes.ended
  })

  const take = Effect.fnUntraced(function* (message: Uint8Array | string) {
    if (typeof message !== "string") {
      if (message.length > keysMax) return closes.garbage
      yield* workplaces.call(where, "WriteTerminal", { terminalId, bytes: message })
      return null
    }
    const told = decodeTold(message)
    if (Option.isNone(told)) return closes.garbage
    if (told.value.type === "close") yield* workplaces.call(where, "CloseTerminal", { terminalId })
    else {
      const { columns, rows } = told.value
      yield* workplaces.call(where, "ResizeTerminal", { terminalId, size: { columns, rows } })
    }
    return null
  })

  yield* tell({ type: "opened", terminal_id: terminalId }).pipe(
    Effect.andThen(Effect.raceFirst(show, listening(reader, take))),
    Effect.raceFirst(Effect.as(revoked(request), closes.revoked)),
    Effect.catch(() => Effect.succeed(closes.broke)),
    Effect.flatMap((closing) => Effect.ignore(writer.write(closing)))
  )
  return HttpServerResponse.empty()
}, Effect.scoped)
