import { assert, describe, layer } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer } from "effect"
import type { Protections } from "../../src/log/AppendStatement.ts"
import { beginning, EventStore, type Placed } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { markOf, minting, newCommandId, newWorkspaceId, opened, rejectionOf } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { verdictOf } from "./conformance/judging.ts"

/** Each shows what a protection is for: with it the answer is "kept", without it "broken". */
const scenes: Record<
  keyof Protections,
  Effect.Effect<"kept" | "broken", unknown, EventStore | WorkspaceLog | PgClient.PgClient>
> = {
  fencing: Effect.gen(function* () {
    const store = yield* EventStore
    const writer = yield* opened()
    yield* store.claim(writer.streamId)
    return (yield* verdictOf(writer.write())) === "Fenced" ? "kept" : "broken"
  }),
  duplicates: Effect.gen(function* () {
    const writer = yield* opened()
    const mark = markOf()
    yield* writer.write({ payloads: [], rejections: [rejectionOf(mark.commandId, 0)] })
    return (yield* verdictOf(writer.write({ mark }))) === "Duplicate" ? "kept" : "broken"
  }),
  horizon: Effect.gen(function* () {
    const store = yield* EventStore
    const log = yield* WorkspaceLog
    const sql = yield* PgClient.PgClient
    const workspaceId = newWorkspaceId()
    const writer = yield* opened()
    const cause = { causationId: newCommandId(), correlationId: minting.salt(), actorText: "{}", at: Date.now() }
    const facts = [{ type: "Late", version: 1, threadId: null, payload: "1" }]
    // A reader comes by while one transaction is open, and another that began later has committed.
    const first = yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* log.append({ workspaceId, cause, facts })
        yield* writer.write()
        return yield* store.readAll({ after: beginning, limit: 1_000 })
      })
    )
    const after = first.at(-1)?.cursor ?? beginning
    const isLate = ({ event }: Placed) => event.streamId === workspaceId
    if (first.some(isLate)) return "kept"
    // Transactions of other databases on this server hold the reader back for a moment, too.
    for (let tries = 0; tries < 100; tries++) {
      const second = yield* store.readAll({ after, limit: 1_000 })
      if (second.some(isLate)) return "kept"
      yield* Effect.sleep(15)
    }
    return "broken"
  })
}

const storeWith = (store: typeof EventStorePg.layer) =>
  Layer.mergeAll(store, WorkspaceLog.layer).pipe(
    Layer.provide(Minting.layer),
    Layer.provideMerge(TestDatabase.layerApp()),
    Layer.provide(TestDatabase.layer()),
    Layer.orDie,
    Layer.fresh
  )

describe("protections", () => {
  for (const [name, scene] of Object.entries(scenes)) {
    layer(storeWith(EventStorePg.layer), { excludeTestServices: true })(`with ${name}`, (it) => {
      it.effect("the promise is kept", () => Effect.map(scene, (verdict) => assert.strictEqual(verdict, "kept")))
    })
    layer(storeWith(EventStorePg.layerUnsafe({ [name]: false })), { excludeTestServices: true })(
      `without ${name}`,
      (it) => {
        it.effect("it is broken", () => Effect.map(scene, (verdict) => assert.strictEqual(verdict, "broken")))
      }
    )
  }
})
