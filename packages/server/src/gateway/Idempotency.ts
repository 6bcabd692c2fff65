import { type ApiFailure, conflict, invalid } from "@troupe/domain/api/ApiError"
import { fromTime, type IdKind, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Schedule } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { Minting } from "../log/Minting.ts"
import { Mint } from "./Requests.ts"
import * as OneByOne from "./OneByOne.ts"

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const keepMs = 24 * 3_600_000
const sweepEveryMs = 600_000

const fits = /^[\x21-\x7e]{1,255}$/

/** An answer that may be another one the next time is not kept. */
const lasts = (status: number) => status < 500 && status !== 429 && status !== 408

/** Requests that carry an Idempotency-Key: done once, and answered alike however often they are sent. */
export class Idempotency extends Context.Service<
  Idempotency,
  {
    readonly run: <E, R>(
      request: {
        readonly workspaceId: WorkspaceId
        readonly key: string | undefined
        /** All that the request asks for. */
        readonly asked: () => string
        /** What those get who send it again, where that is not the answer itself. */
        readonly kept?: ((answer: Answer) => Answer) | undefined
      },
      work: Effect.Effect<Answer, E, R | Mint>
    ) => Effect.Effect<Answer, E | ApiFailure | SqlError, Exclude<R, Mint>>
  }
>()("server/Idempotency") {
  static readonly layer: Layer.Layer<Idempotency, never, SqlClient.SqlClient | Minting> = Layer.effect(
    Idempotency,
    Effect.suspend(() => make)
  )
}

export const toResponse = ({ body, headers, status }: Answer) =>
  HttpServerResponse.text(body, {
    status,
    contentType: "application/json",
    ...(headers === undefined ? {} : { headers })
  })

/**
 * Ids that follow from the key and from when it was first seen. Each use counts by itself: a request that is done again
 * may find some of its work done, and still has to make the same ids for the rest.
 */
const mintFrom = (seed: string, timeMs: number) => {
  const made = new Map<string, number>()
  return (kind: IdKind, use = ""): string => {
    const counted = `${kind}\n${use}`
    const n = made.get(counted) ?? 0
    made.set(counted, n + 1)
    return fromTime(prefixes[kind], timeMs, createHash("sha256").update(`${seed}\n${counted}\n${n}`).digest())
  }
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting

  const sweep = Effect.gen(function* () {
    const before = (yield* Clock.currentTimeMillis) - keepMs
    yield* sql`DELETE FROM idempotency_keys WHERE created_at < ${before}`
  })
  yield* sweep.pipe(
    Effect.catchCause((cause) => Effect.logDebug("Old idempotency keys could not be swept", cause)),
    Effect.repeat(Schedule.spaced(sweepEveryMs)),
    Effect.delay(sweepEveryMs),
    Effect.forkScoped
  )

  const seen = (workspace: string, key: string, digest: Uint8Array) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* sql`
        INSERT INTO idempotency_keys (workspace_id, key, digest, created_at)
        VALUES (${workspace}, ${key}, ${digest}, ${now}) ON CONFLICT DO NOTHING`
      const [row] = yield* sql<{
        readonly same: boolean
        readonly createdAt: number
        readonly status: number | null
        readonly body: string | null
      }>`
        SELECT digest = ${digest} AS same, created_at::float8 AS "createdAt", status, body
        FROM idempotency_keys WHERE workspace_id = ${workspace} AND key = ${key}`
      return row!
    })

  const once: Idempotency["Service"]["run"] = (request, work) =>
    Effect.gen(function* () {
      const { key } = request
      if (key === undefined) {
        const now = yield* Clock.currentTimeMillis
        return yield* Effect.provideService(work, Mint, (kind) => minting.id(kind, now))
      }
      if (!fits.test(key)) return yield* invalid("Idempotency-Key: takes 1 to 255 visible ASCII characters")
      const workspace = toUuid(request.workspaceId)!
      const digest = createHash("sha256").update(request.asked()).digest()
      const row = yield* seen(workspace, key, digest)
      if (!row.same) return yield* conflict("This Idempotency-Key was used before with another request")
      if (row.status !== null) {
        const headers = { "idempotent-replayed": "true", ...(row.status === 409 ? { "x-should-retry": "false" } : {}) }
        return { status: row.status, body: row.body ?? "", headers }
      }
      const mint = mintFrom(`${request.workspaceId}\n${key}`, row.createdAt)
      const answer = yield* Effect.provideService(work, Mint, mint)
      if (lasts(answer.status)) {
        const kept = request.kept?.(answer) ?? answer
        yield* sql`
          UPDATE idempotency_keys SET status = ${kept.status}, body = ${kept.body}
          WHERE workspace_id = ${workspace} AND key = ${key}`
      }
      return answer
    }) as never

  const inLine = yield* OneByOne.make

  return Idempotency.of({
    run: (request, work) => {
      const { key, workspaceId } = request
      return key === undefined ? once(request, work) : inLine.take(`${workspaceId}\n${key}`, once(request, work))
    }
  })
})
