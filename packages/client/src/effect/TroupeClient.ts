import { Api } from "@troupe/domain/api/Api"
import { Context, Effect, identity, Layer, Redacted, Schedule, Stream } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type { TroupeError } from "../errors.ts"
import { idempotencyKey } from "../http/idempotencyKey.ts"
import { defaults } from "../options.ts"
import type { EventStreamOptions } from "../stream/liveEvents.ts"
import type { LogStreamOptions } from "../stream/logStream.ts"
import { Troupe } from "../Troupe.ts"
import type { LogEvent, StreamedEvent } from "../types/events.ts"
import { withoutPings } from "./withoutPings.ts"

export interface TroupeClientOptions {
  /** Where the server is: `http://127.0.0.1:4777` unless said otherwise. */
  readonly baseURL?: string | undefined
  readonly apiKey: Redacted.Redacted
  /** How often a request is sent again that may succeed then: 4 times unless said otherwise. */
  readonly maxRetries?: number | undefined
}

const withKey = HttpClient.mapRequestEffect((request: HttpClientRequest.HttpClientRequest) =>
  request.method === "GET"
    ? Effect.succeed(request)
    : Effect.sync(() => HttpClientRequest.setHeader(request, "idempotency-key", idempotencyKey()))
)

/** Without it a retry would make the request anew, and a write would have another key at each try. */
const madeOnce = (client: HttpClient.HttpClient): HttpClient.HttpClient => HttpClient.transform(client, identity)

const generate = ({ apiKey, baseURL = defaults.baseURL, maxRetries = defaults.maxRetries }: TroupeClientOptions) =>
  HttpApiClient.make(Api, {
    baseUrl: baseURL,
    transformClient: (client) =>
      client.pipe(
        HttpClient.mapRequest(HttpClientRequest.bearerToken(apiKey)),
        withKey,
        HttpClient.retryTransient({ times: maxRetries, schedule: Schedule.jittered(Schedule.exponential(500)) }),
        madeOnce,
        withoutPings
      )
  })

const toStream = <A>(items: () => AsyncIterable<A>): Stream.Stream<A, TroupeError> =>
  Stream.suspend(() => Stream.fromAsyncIterable(items(), (error) => error as TroupeError))

/** Streams that are taken up again where they were cut, which those of the contract are not by themselves. */
const following = ({ apiKey, ...options }: TroupeClientOptions) => {
  const troupe = new Troupe({ ...options, apiKey: Redacted.value(apiKey) })
  return {
    followLog: (sessionId: string, more?: LogStreamOptions): Stream.Stream<LogEvent, TroupeError> =>
      toStream(() => troupe.sessions.log.stream(sessionId, more)),
    followEvents: (sessionId: string, more?: EventStreamOptions): Stream.Stream<StreamedEvent, TroupeError> =>
      toStream(() => troupe.sessions.events.stream(sessionId, more))
  }
}

type Client = HttpApiClient.ForApi<typeof Api> & ReturnType<typeof following>

/** The API as effects: a group of it is a field, an endpoint a method, and every answer is checked against the contract. */
export class TroupeClient extends Context.Service<TroupeClient, Client>()("client/Troupe") {
  /** Over the `HttpClient` that is there; what follows a session goes over the global `fetch`. */
  static readonly layer = (options: TroupeClientOptions): Layer.Layer<TroupeClient, never, HttpClient.HttpClient> =>
    Layer.effect(
      TroupeClient,
      Effect.map(generate(options), (client) => ({ ...client, ...following(options) }))
    )

  /** Over the global `fetch`. */
  static readonly layerFetch = (options: TroupeClientOptions): Layer.Layer<TroupeClient> =>
    Layer.provide(TroupeClient.layer(options), FetchHttpClient.layer)
}
