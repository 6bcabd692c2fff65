import { type RunnerId, toUuid } from "@troupe/domain/Ids"
import { Cause, Context, Effect, Fiber, Layer } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { createHash } from "node:crypto"
import { NodeLock, nodeLocks } from "../cluster/NodeLock.ts"
import type { PlatformResult } from "./ToolHost.ts"

/**
 * Sees to it that a call of a platform tool happens once: the intent is written before it, the answer after it. Whoever
 * asks again gets the answer, and waits for it where the call is still under way, on whichever node.
 */
export class AskJournal extends Context.Service<
  AskJournal,
  {
    readonly once: (
      ask: { readonly runnerId: RunnerId; readonly askId: string; readonly body: string },
      call: Effect.Effect<PlatformResult>
    ) => Effect.Effect<PlatformResult>
  }
>()("server/AskJournal") {
  static readonly layer: Layer.Layer<AskJournal, never, SqlClient.SqlClient | NodeLock> = Layer.effect(
    AskJournal,
    Effect.suspend(() => make)
  )
}

const lookAgainMs = 200

const refused = (code: string, message: string): PlatformResult => ({ _tag: "Refused", error: { code, message } })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { nodeId } = yield* NodeLock
  const scope = yield* Effect.scope

  /** The answer of whoever does it, once there is one. */
  const answered = (runner: string, askId: string, digest: Uint8Array) =>
    Effect.gen(function* () {
      while (true) {
        const [row] = yield* sql<{
          readonly same: boolean
          readonly answer: PlatformResult | null
          readonly lives: boolean
        }>`
          SELECT digest = ${digest} AS same, answer, node_id IN (
            SELECT n.node_id FROM nodes n WHERE lock_key IN (
              SELECT objid::bigint FROM pg_locks WHERE ${sql.literal(nodeLocks)})
          ) AS lives
          FROM asks WHERE runner_id = ${runner} AND ask_id = ${askId}`
        if (row === undefined) return yield* Effect.die(new Error("An ask that was there is gone"))
        if (!row.same) return refused("ask_id_reused", "This ask was made before, with another body")
        if (row.answer !== null) return row.answer
        if (!row.lives) {
          return refused("outcome_unknown", "The node that did this is gone; whether it happened is not known")
        }
        yield* Effect.sleep(lookAgainMs)
      }
    })

  /** What a tool broke with may hold what it was working with: only its kind is told. */
  const broke = (askId: string) => (cause: Cause.Cause<never>) => {
    const defect = Cause.squash(cause)
    const kind = defect instanceof Error ? defect.name : typeof defect
    return Effect.logError("A platform tool broke").pipe(
      Effect.annotateLogs({ askId, kind }),
      Effect.as(refused("broken", "The tool broke"))
    )
  }

  const answerOf = (runner: string, askId: string, call: Effect.Effect<PlatformResult>) =>
    call.pipe(
      Effect.catchCauseIf((cause) => !Cause.hasInterruptsOnly(cause), broke(askId)),
      Effect.tap(
        (answer) => sql`
          UPDATE asks SET answer = ${JSON.stringify(answer)}::json
          WHERE runner_id = ${runner} AND ask_id = ${askId}`
      )
    )

  const once: AskJournal["Service"]["once"] = Effect.fn("AskJournal.once")(function* (ask, call) {
    const runner = toUuid(ask.runnerId)!
    const digest = createHash("sha256").update(ask.body).digest()
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const begun = yield* sql`
          INSERT INTO asks (runner_id, ask_id, digest, node_id)
          VALUES (${runner}, ${ask.askId}, ${digest}, ${nodeId})
          ON CONFLICT (runner_id, ask_id) DO NOTHING RETURNING ask_id`
        if (begun.length === 0) return yield* restore(answered(runner, ask.askId, digest))
        // It is the node's, and not the link's: whoever stops waiting does not stop it, and is not held up by it.
        const work = yield* Effect.forkIn(Effect.interruptible(answerOf(runner, ask.askId, call)), scope)
        return yield* restore(Fiber.join(work))
      })
    )
  }, Effect.orDie)

  return AskJournal.of({ once })
})
