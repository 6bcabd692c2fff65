import { type ApiFailure, errorStatuses } from "@troupe/domain/api/ApiError"
import { EventId, SessionId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { Context, Effect, Layer, Redacted, Schedule, Stream } from "effect"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import { apiErrorOf, ConnectionError, type TroupeError } from "../errors.ts"
import { failureOf } from "../http/failures.ts"
import { idempotencyKey } from "../http/idempotencyKey.ts"
import { mayPass, pauseMs } from "../http/retry.ts"
import { defaults } from "../options.ts"
import type { Approval, ApprovalAnswer, Session, SessionCreate } from "../types/api.ts"
import type { Followed } from "../stream/logStream.ts"
import type { LogDelta, LogEvent, SessionEvent, UserEvent } from "../types/events.ts"
import { link } from "./link.ts"

export interface TroupeRpcOptions {
  /** Where the server is: `http://127.0.0.1:4777` unless said otherwise. */
  readonly baseURL?: string | undefined
  readonly apiKey: Redacted.Redacted
  /** How often a call is sent again that may succeed then: 4 times unless said otherwise. */
  readonly maxRetries?: number | undefined
}

export interface FollowOptions {
  /** The sequence number after which it begins: 0, which is the log's beginning, unless said otherwise. */
  readonly after?: number | undefined
  readonly types?: ReadonlyArray<LogEvent["type"]> | undefined
  /** Also parts of blocks that are still being written, as `delta`. Some may be missing; none is wrong. */
  readonly deltas?: boolean | undefined
}

type Failed = ApiFailure | RpcClientError

/** Sessions over one WebSocket, for services. Failures are those of the other flavours. */
export class TroupeRpc extends Context.Service<
  TroupeRpc,
  {
    readonly create: (body: SessionCreate) => Effect.Effect<Session, TroupeError>
    readonly retrieve: (sessionId: string) => Effect.Effect<Session, TroupeError>
    readonly send: (
      sessionId: string,
      events: ReadonlyArray<UserEvent>
    ) => Effect.Effect<ReadonlyArray<SessionEvent>, TroupeError>
    /** Stops the turn that runs. */
    readonly interrupt: (sessionId: string) => Effect.Effect<void, TroupeError>
    /** Calls that wait to be allowed. */
    readonly approvals: (sessionId: string) => Effect.Effect<ReadonlyArray<Approval>, TroupeError>
    readonly answer: (sessionId: string, callId: string, answer: ApprovalAnswer) => Effect.Effect<void, TroupeError>
    /** What was, then what comes: in order, without a gap and nothing twice, over as many connections as it takes. */
    readonly followLog: <const Options extends FollowOptions = {}>(
      sessionId: string,
      options?: Options
    ) => Stream.Stream<Followed<Options>, TroupeError>
  }
>()("client/TroupeRpc") {
  static readonly layer = (options: TroupeRpcOptions): Layer.Layer<TroupeRpc> =>
    Layer.effect(
      TroupeRpc,
      Effect.suspend(() => make(options))
    )
}

const make = Effect.fnUntraced(function* (options: TroupeRpcOptions) {
  const { maxRetries = defaults.maxRetries } = options
  const baseURL = (options.baseURL ?? defaults.baseURL).replace(/\/+$/, "")
  const secret = Redacted.value(options.apiKey)
  const { client, log } = yield* link(`${baseURL.replace(/^http/, "ws")}/v1/rpc`, secret)

  /** A socket that was refused does not say why: a plain request is told, and 426 once it would be let in. */
  const refusal = Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${baseURL}/v1/rpc`, { headers: { authorization: `Bearer ${secret}` }, signal })
      const text = await response.text()
      return response.status === 426 ? null : failureOf(response, text)
    },
    catch: () => null
  }).pipe(Effect.catch(() => Effect.succeed(null)))

  const explain = (error: Failed): Effect.Effect<never, TroupeError> => {
    if (error._tag === "ApiFailure") return Effect.fail(ofFailure(error))
    const broke = new ConnectionError(`${baseURL} can't be reached: ${error.message}`, { cause: error })
    return Effect.flatMap(refusal, (refused) => Effect.fail(refused ?? broke))
  }

  const patiently = Schedule.recurs(maxRetries).pipe(
    Schedule.setInputType<TroupeError>(),
    Schedule.while(({ input }) => mayPass(input)),
    Schedule.modifyDelay(({ attempt, input }) => Effect.succeed(pauseMs(attempt - 1, input)))
  )
  const ask = <A>(call: Effect.Effect<A, Failed>): Effect.Effect<A, TroupeError> =>
    Effect.retry(Effect.catch(call, explain), patiently)
  /** Every try has one key, so it is done once. */
  const write = <A>(call: (key: string) => Effect.Effect<A, Failed>) =>
    Effect.suspend(() => ask(call(idempotencyKey())))

  const send = (sessionId: string, events: ReadonlyArray<UserEvent>) =>
    write((key) => client.SendEvents({ id: SessionId.make(sessionId), key, events: events as never }))

  const followLog = (sessionId: string, { after = 0, deltas, types }: FollowOptions = {}) => {
    let last = after
    let failures = 0
    const wanted = {
      id: SessionId.make(sessionId),
      ...(deltas === undefined ? {} : { deltas }),
      ...(types === undefined ? {} : { types })
    }
    const once = Stream.suspend(() => log({ ...wanted, after: last })).pipe(
      Stream.map((text) => JSON.parse(text) as LogEvent | LogDelta),
      Stream.filter((item) => {
        failures = 0
        if (item.type === "delta") return true
        const { seq } = item as LogEvent
        if (seq <= last) return false
        last = seq
        return true
      }),
      Stream.catch((error: Failed) => Stream.fromEffect(explain(error)))
    )
    const forever = Schedule.forever.pipe(
      Schedule.setInputType<TroupeError>(),
      Schedule.while(({ input }) => mayPass(input)),
      Schedule.modifyDelay(({ input }) => Effect.sync(() => pauseMs(failures++, input, 100)))
    )
    return Stream.retry(once, forever)
  }

  return TroupeRpc.of({
    create: (body) => write((key) => client.CreateSession({ key, body: body as never as JsonObject })) as never,
    retrieve: (id) => ask(client.RetrieveSession({ id: SessionId.make(id) })) as never,
    send: send as never,
    interrupt: (id) => Effect.asVoid(send(id, [{ type: "user.interrupt" }])),
    approvals: (id) => ask(client.ListApprovals({ id: SessionId.make(id) })) as never,
    answer: (id, call, body) =>
      Effect.asVoid(
        write((key) =>
          client.AnswerApproval({ id: SessionId.make(id), call: EventId.make(call), key, body: body as never })
        )
      ),
    followLog: followLog as TroupeRpc["Service"]["followLog"]
  })
})

const ofFailure = ({ code, final, message, queueVersion, retryAfterMs, status, type }: ApiFailure): TroupeError =>
  apiErrorOf({
    status: status ?? errorStatuses[type],
    type,
    code: code ?? null,
    message,
    requestId: null,
    queueVersion: queueVersion ?? null,
    retryAfterMs: retryAfterMs ?? null,
    shouldRetry: final === true ? false : null
  })
