import { ApiFailure, conflict, invalid } from "@troupe/domain/api/ApiError"
import type { BoundTo } from "@troupe/domain/api/Workspace"
import { fromTime, type IdKind, prefixes, toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Schedule } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { NodeLock, nodeLocks } from "../cluster/NodeLock.ts"
import { Minting } from "../log/Minting.ts"
import { failureBody, Mint, RequestId, statusOf } from "./Requests.ts"
import * as OneByOne from "./OneByOne.ts"

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const keepMs = 24 * 3_600_000
const sweepEveryMs = 600_000

/** How long a request waits for another node that does what the same key asks for, and how often it looks. */
const waitMs = 60_000
const lookEveryMs = 50

const underWay = new ApiFailure({
  type: "conflict_error",
  message: "A request with this Idempotency-Key is under way",
  retryAfterMs: 1_000
})

/** What is kept of an answer, in characters: others are written to the database for nothing, as hardly anybody asks again. */
export const answerLengthMax = 262_144

const fits = /^[\x21-\x7e]{1,255}$/

const same = (answer: Answer): Answer => answer

/** What those get who send a request again whose answer was too large to keep. */
const withoutContent = ({ body }: Answer, requestId: string): Answer => {
  const failure = conflict(
    `This request was done; its answer had ${body.length} characters and is not kept: look at what it made`
  )
  return { status: statusOf(failure), body: JSON.stringify(failureBody(failure, requestId)) }
}

/** An answer that may be another one the next time is not kept. */
const lasts = (status: number) => status < 500 && status !== 429 && status !== 408

/** Who sent a request: keys of a workspace are its own, and each of those whose tokens are for a part of it has others. */
interface Sender {
  readonly workspaceId: WorkspaceId
  readonly bound: BoundTo | null
}

const partOf = (bound: BoundTo): string => {
  switch (bound.type) {
    case "end_user":
      return bound.subject
    case "session":
      return bound.session_id
    case "environment":
      return bound.environment_id
  }
}

const ownKey = ({ bound }: Sender, key: string): string =>
  bound === null
    ? key
    : `${createHash("sha256")
        .update(`${bound.type}\n${partOf(bound)}`)
        .digest("base64")}\n${key}`

interface Asked {
  readonly caller: Sender
  /** All that the request asks for. */
  readonly asked: () => string
  /** What those get who send it again, where that is not the answer itself; null where it is to be done again. */
  readonly kept?: ((answer: Answer) => Answer | null) | undefined
  /** Done again, it makes nothing twice and is answered alike: so an answer that is too large to keep is made anew. */
  readonly isRepeatable?: boolean | undefined
}

/** Requests that carry an Idempotency-Key: done once, and answered alike however often they are sent. */
export class Idempotency extends Context.Service<
  Idempotency,
  {
    readonly run: <E, R>(
      request: Asked & { readonly key: string | undefined },
      work: Effect.Effect<Answer, E, R | Mint>
    ) => Effect.Effect<Answer, E | ApiFailure | SqlError, Exclude<R, Mint>>
  }
>()("server/Idempotency") {
  static readonly layer: Layer.Layer<Idempotency, never, SqlClient.SqlClient | Minting | NodeLock> = Layer.effect(
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

interface Seen {
  readonly same: boolean
  readonly createdAt: number
  readonly status: number | null
  readonly body: string | null
  /** Whether it is for this node to do it. */
  readonly held: boolean
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const minting = yield* Minting
  const { nodeId } = yield* NodeLock

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

  const isDead = sql.literal(`NOT EXISTS (
    SELECT FROM nodes n WHERE n.node_id = k.held_by
      AND n.lock_key IN (SELECT objid::bigint FROM pg_locks WHERE ${nodeLocks}))`)

  /** Takes a key for this node, unless what it asks for is done, or another node that lives has it. */
  const take = Effect.fnUntraced(function* (workspace: string, key: string, digest: Uint8Array) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<Seen>`
      INSERT INTO idempotency_keys AS k (workspace_id, key, digest, created_at, held_by)
      VALUES (${workspace}, ${key}, ${digest}, ${now}, ${nodeId})
      ON CONFLICT (workspace_id, key) DO UPDATE SET held_by = CASE
        WHEN k.status IS NULL AND k.digest = excluded.digest
          AND (k.held_by IS NULL OR k.held_by = excluded.held_by OR ${isDead}) THEN excluded.held_by
        ELSE k.held_by END
      RETURNING digest = ${digest} AS same, created_at::float8 AS "createdAt", status, body,
        coalesce(held_by = ${nodeId}::uuid, false) AS held`
    return row!
  })

  const seen = Effect.fnUntraced(function* (workspace: string, key: string, digest: Uint8Array) {
    const until = (yield* Clock.currentTimeMillis) + waitMs
    while (true) {
      const row = yield* take(workspace, key, digest)
      if (!row.same) return yield* conflict("This Idempotency-Key was used before with another request")
      if (row.status !== null || row.held) return row
      if ((yield* Clock.currentTimeMillis) > until) return yield* underWay
      yield* Effect.sleep(lookEveryMs)
    }
  })

  /** By a key that is the sender's own already. */
  const once = <E, R>(key: string, { asked, caller, isRepeatable, kept }: Asked, work: Effect.Effect<Answer, E, R>) =>
    Effect.gen(function* () {
      const workspace = toUuid(caller.workspaceId)!
      const digest = createHash("sha256").update(asked()).digest()
      const row = yield* seen(workspace, key, digest)
      if (row.status !== null) {
        const headers = { "idempotent-replayed": "true", ...(row.status === 409 ? { "x-should-retry": "false" } : {}) }
        return { status: row.status, body: row.body ?? "", headers }
      }
      const mint = mintFrom(`${caller.workspaceId}\n${key}`, row.createdAt)
      const settle = (answer: Answer | null) => sql`
        UPDATE idempotency_keys SET held_by = NULL, status = ${answer?.status ?? null}, body = ${answer?.body ?? null}
        WHERE workspace_id = ${workspace} AND key = ${key} AND held_by = ${nodeId}`
      // Whoever gives up, or broke, leaves it to the next one.
      const answer = yield* Effect.onError(Effect.provideService(work, Mint, mint), () => Effect.ignore(settle(null)))
      const known = lasts(answer.status) ? (kept ?? same)(answer) : null
      if (known === null || known.body.length <= answerLengthMax) yield* settle(known)
      else yield* settle(isRepeatable === true ? null : withoutContent(known, yield* RequestId))
      return answer
    })

  const inLine = yield* OneByOne.make

  const run: Idempotency["Service"]["run"] = (request, work) =>
    Effect.gen(function* () {
      const { caller, key } = request
      if (key === undefined) {
        const now = yield* Clock.currentTimeMillis
        return yield* Effect.provideService(work, Mint, (kind) => minting.id(kind, now))
      }
      if (!fits.test(key)) return yield* invalid("Idempotency-Key: takes 1 to 255 visible ASCII characters")
      const own = ownKey(caller, key)
      return yield* inLine.take(`${caller.workspaceId}\n${own}`, once(own, request, work))
    }) as never

  return Idempotency.of({ run })
})
