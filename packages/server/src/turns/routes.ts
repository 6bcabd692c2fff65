import { attempt, forbidden, invalid, notFound } from "@troupe/domain/api/ApiError"
import { contentIn } from "@troupe/domain/api/compat/content"
import { overridesIn } from "@troupe/domain/api/compat/overrides"
import { makeCursor, pageSizeDefault, readCursor } from "@troupe/domain/api/Page"
import * as Api from "@troupe/domain/api/Turns"
import type { TurnId } from "@troupe/domain/Ids"
import type { CommandOf, SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { OpenSession } from "@troupe/domain/session/SessionState"
import { Effect, Layer } from "effect"
import { type Asked, route } from "../gateway/Route.ts"
import { Folds } from "../replay/Folds.ts"
import { command, stateOf } from "../sessions/SessionCalls.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import type { SessionView } from "../sessions/SessionView.ts"
import { startedTurns } from "./startedTurns.ts"
import { queueOut, startedOut } from "./turnOut.ts"

const viewed = ({ caller, params }: Pick<Asked<typeof Api.list>, "caller" | "params">) =>
  Effect.flatMap(SessionReads, (reads) => reads.find(caller.workspaceId, params.id))

/** What a session folds to: of one that rests, read from its log, so that nobody is woken by a look. */
const stateIn = Effect.fnUntraced(function* ({ resting, session }: SessionView) {
  if (!resting) return yield* stateOf(session.id)
  const folds = yield* Folds
  const read = Effect.gen(function* () {
    const { version } = yield* folds.head(session.id)
    return (yield* folds.at(session.id, version)).state
  })
  const state = yield* Effect.catchTag(folds.inTurn(read), "StoreUnavailable", (error) => Effect.die(error))
  return state._tag === "Open" ? state : yield* notFound(`Session ${session.id} was not found.`)
})

const cursorShape = ["string", "number"] as const
const beyondAll = 2_147_483_647

const list = route(Api.list, "read", (asked) =>
  Effect.gen(function* () {
    const view = yield* viewed(asked)
    const { session } = view
    const { limit = pageSizeDefault, order = "desc", page } = asked.query
    const name = `turns ${session.id}`
    let beyond = order === "desc" ? beyondAll : 0
    if (page !== undefined) {
      const [made, seq] = yield* Effect.fromResult(readCursor(name, cursorShape, page))
      if (made !== order) return yield* invalid("page token order does not match request")
      beyond = seq
    }
    // The log first: what it says has ended is never shown as going on.
    const state = yield* stateIn(view)
    const found = yield* startedTurns(session.id, { beyond, order, limit: limit + 1 })
    const some = found.slice(0, limit)
    const last = some.at(-1)
    return {
      queues: state.threads.filter(({ archived }) => !archived).map(queueOut),
      data: some.map((turn) => startedOut(turn, state)),
      next_page: found.length > limit && last !== undefined ? makeCursor(name, [order, last.seq]) : null
    }
  })
)

const threadOf = (state: OpenSession, turnId: TurnId) =>
  state.threads.find(({ failed, queue, retry, turn }) =>
    [turn, failed, retry, ...queue, ...(turn?.steers ?? [])].some((one) => one?.turnId === turnId)
  )

/** Changes a queue, and answers with what it is then. */
const changed = (asked: Pick<Asked<typeof Api.retry>, "caller" | "params">, body: SessionCommand) =>
  Effect.gen(function* () {
    const { session } = yield* viewed(asked)
    const { turn } = asked.params
    const before = threadOf(yield* stateOf(session.id), turn)
    yield* command(session.id, body)
    const state = yield* stateOf(session.id)
    const threadId = before?.threadId ?? state.primary
    return queueOut(state.threads.find((one) => one.threadId === threadId) ?? state.threads[0]!)
  })

const edit = route(Api.edit, "write", (asked) =>
  Effect.gen(function* () {
    const { content, overrides, queue_version } = asked.payload
    if (content === undefined && overrides === undefined) return yield* invalid("content or overrides: one is needed")
    if (asked.caller.bound !== null && overrides !== undefined) {
      return yield* forbidden("overrides: this token can't change what a turn runs with")
    }
    const blocks =
      content === undefined
        ? undefined
        : yield* Effect.fromResult(attempt(() => contentIn(content, "content", ["text", "image", "document"])))
    const body: CommandOf<"EditTurn"> = {
      _tag: "EditTurn",
      turnId: asked.params.turn,
      queueVersion: queue_version ?? null,
      ...(blocks === undefined ? {} : { content: blocks }),
      ...(overrides === undefined ? {} : { overrides: overridesIn(overrides) })
    }
    return yield* changed(asked, body)
  })
)

const move = route(Api.move, "write", (asked) =>
  changed(asked, {
    _tag: "MoveTurn",
    turnId: asked.params.turn,
    queueVersion: asked.payload.queue_version ?? null,
    before: asked.payload.before
  })
)

type Queued = "WithdrawTurn" | "SteerTurn" | "ApproveTurn"
const queued = (_tag: Queued) => (asked: Asked<typeof Api.withdraw>) =>
  changed(asked, { _tag, turnId: asked.params.turn, queueVersion: asked.payload.queue_version ?? null })

const withdraw = route(Api.withdraw, "write", queued("WithdrawTurn"))
const steer = route(Api.steer, "write", queued("SteerTurn"))
const approve = route(Api.approve, "approve", queued("ApproveTurn"))
const retry = route(Api.retry, "write", (asked) => changed(asked, { _tag: "RetryTurn", turnId: asked.params.turn }))

export const routes = Layer.mergeAll(list, edit, move, withdraw, steer, approve, retry)
