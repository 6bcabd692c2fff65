import { assert } from "@effect/vitest"
import * as Chain from "@troupe/domain/log/Chain"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { Effect } from "effect"
import type { AppendRefused, NewEvent, StoreUnavailable } from "../../../src/log/EventStore.ts"
import { sha256 } from "../../support/LogWriter.ts"

export const nul = String.fromCharCode(0)

/** Why an append was refused; that it was not refused, or not answered, fails the test. */
export const reasonOf = (append: Effect.Effect<void, AppendRefused | StoreUnavailable>) =>
  Effect.flatMap(Effect.flip(append), (error) =>
    error._tag === "AppendRefused" ? Effect.succeed(error.reason) : Effect.die(error)
  )

/** "good", or the reason. */
export const verdictOf = <R>(append: Effect.Effect<unknown, AppendRefused | StoreUnavailable, R>) =>
  append.pipe(
    Effect.as<string>("good"),
    Effect.catchTag("AppendRefused", ({ reason }) => Effect.succeed(reason._tag))
  )

export const stored = ({ mark: _, ...event }: NewEvent): Recorded => event

/** The chain value after events that begin a stream. */
export const verify = (events: ReadonlyArray<Recorded>): string => {
  let chain = Chain.genesis
  for (const [index, event] of events.entries()) {
    assert.strictEqual(event.seq, index + 1)
    if (event.salt !== null && event.payload !== null) {
      assert.strictEqual(event.commitment, Chain.commit(sha256, event.salt!, event.payload), `commitment ${event.seq}`)
    }
    chain = Chain.link(sha256, chain, event, event.commitment)
    assert.strictEqual(event.chain, chain, `chain ${event.seq}`)
  }
  return chain
}
