import type { SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { EpochRefused } from "@troupe/domain/runner/Attempt"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import type { SessionError, SessionNotReached } from "../session/SessionErrors.ts"
import { Sessions } from "../session/Sessions.ts"
import type {
  Asked,
  CallError,
  RelayedCallTag,
  RelayedStreamTag,
  RunnerFault,
  Streaming,
  StreamTag,
  Told
} from "./Calls.ts"
import { Reach } from "./Reach.ts"
import { Tickets } from "./Tickets.ts"

/** The session has no sandbox on any runner, or the workspace has no such session. */
export class NoWorkplace extends Schema.TaggedError<NoWorkplace>()("NoWorkplace", { sessionId: Schema.String }) {
  override get message() {
    return `Session ${this.sessionId} has no working copy on a runner`
  }
}

export type PlaceCall = Exclude<
  RelayedCallTag,
  "Acknowledge" | "Deliver" | "Revoke" | "RefreshSecret" | "Browse" | "RegisterDirectory" | "ProbeModel"
>
export type PlaceStream = Exclude<RelayedStreamTag, "Run" | "Attach">
type AtPlace<T extends PlaceCall | PlaceStream> = Omit<Asked<T>, "place">
type Where = { readonly workspaceId: WorkspaceId; readonly sessionId: SessionId; readonly runnerId?: string }
type WhereError = NoWorkplace | SessionError | SessionNotReached

type StreamOf<T extends StreamTag> =
  Streaming<T> extends Stream.Stream<infer A, infer E, infer _R> ? Stream.Stream<A, E | WhereError> : never

/**
 * What can be done at a session's place on its runner: programs, terminals, files, checkpoints. Each call carries the
 * epoch of the session's owner, which is asked for it: a runner refuses those of an owner that was overtaken.
 */
export class Workplaces extends Context.Service<
  Workplaces,
  {
    /** At the session's own runner, or at `runnerId` for a session that has no place yet. */
    readonly call: <T extends PlaceCall>(
      where: Where,
      tag: T,
      payload: AtPlace<T>
    ) => Effect.Effect<Told<T>, CallError<T> | RunnerFault | WhereError>
    readonly stream: <T extends PlaceStream>(where: Where, tag: T, payload: AtPlace<T>) => StreamOf<T>
  }
>()("server/Workplaces") {
  static readonly layer: Layer.Layer<Workplaces, never, Sessions | Reach | Tickets> = Layer.effect(
    Workplaces,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const sessions = yield* Sessions
  const reach = yield* Reach
  const tickets = yield* Tickets

  const find = Effect.fnUntraced(function* ({ runnerId: wanted, sessionId, workspaceId }: Where) {
    const { epoch, state } = yield* sessions.current(sessionId)
    if (state._tag !== "Open" || state.workspaceId !== workspaceId) return yield* new NoWorkplace({ sessionId })
    const runnerId = wanted ?? state.sandbox?.runnerId
    if (runnerId === undefined) return yield* new NoWorkplace({ sessionId })
    const ticket = tickets.issue({ workspaceId, sessionId, runnerId: runnerId as never })
    return { runnerId, place: { sessionId, workspaceId, epoch, ticket } }
  })

  const isRefused = (error: unknown): boolean => error instanceof EpochRefused

  const call = (where: Where, tag: PlaceCall, payload: object) => {
    const once = Effect.flatMap(find(where), ({ place, runnerId }) =>
      reach.call(runnerId, tag, { place, ...payload } as never)
    )
    // A new owner came between the two steps: it is asked once.
    return Effect.catchIf(once, isRefused, () => once)
  }

  const stream = (where: Where, tag: PlaceStream, payload: object) => {
    const once: Stream.Stream<unknown, unknown> = Stream.unwrap(
      Effect.map(find(where), ({ place, runnerId }): Stream.Stream<unknown, unknown> =>
        reach.stream(runnerId, tag, { place, ...payload } as never)
      )
    )
    return Stream.catchIf(once, isRefused, () => once)
  }

  return Workplaces.of({ call: call as never, stream: stream as never })
})
