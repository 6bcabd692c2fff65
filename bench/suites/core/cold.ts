/** Sessions that nobody has in memory: what it takes until one answers. */
// As the server does: schemas that are made later are compiled.
import "effect/schema/SchemaJITCompiler/enable"
import { Command } from "@troupe/domain/session/SessionCommand"
import type { SessionId } from "@troupe/domain/Ids"
import { EventStore } from "@troupe/server/log/EventStore"
import { Effect, Exit, Layer, ManagedRuntime, Schema, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { serve } from "../../harness/serve.ts"
import { messageOf, mint, openOf } from "./commands.ts"
import { actorOf, layerDatabase, layerSession, layerStore } from "./services.ts"

const runtime = ManagedRuntime.make(Layer.mergeAll(layerSession, layerStore, layerDatabase))
const decode = Schema.decodeUnknownSync(Command)
const sessions = new Map<number, SessionId>()

const withActor = <A, E>(
  sessionId: SessionId,
  use: (actor: Effect.Success<ReturnType<typeof actorOf>>) => Effect.Effect<A, E, SqlClient.SqlClient | EventStore>
) => runtime.runPromise(Effect.scoped(Effect.flatMap(actorOf(sessionId), use)))

/** Snapshots are a cache, deletable at any time. No other session here has one that counts. */
const dropSnapshots = runtime.runPromise.bind(
  runtime,
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM snapshots`)
)

serve(
  {
    fill: async ({ events }: { events: number }) => {
      const sessionId = mint("Session") as SessionId
      sessions.set(events, sessionId)
      await withActor(sessionId, (actor) =>
        Effect.gen(function* () {
          const { version } = yield* actor.handle(decode(openOf(sessionId)))
          const left = Array.from({ length: events - version }, (_, index) => decode(messageOf(String(index))))
          yield* Effect.forEach(left, (command) => actor.handle(command), { concurrency: 64, discard: true })
        })
      )
    },
    /** The median time from nothing to the state, over so many activations. */
    activate: async ({ events, snapshot, times }: { events: number; snapshot: boolean; times: number }) => {
      const sessionId = sessions.get(events)!
      const taken: Array<number> = []
      for (let time = 0; time < times; time++) {
        if (!snapshot) await dropSnapshots()
        const scope = await Effect.runPromise(Scope.make())
        const begun = performance.now()
        await runtime.runPromise(
          Effect.provideService(
            Effect.flatMap(actorOf(sessionId), (actor) => actor.current),
            Scope.Scope,
            scope
          )
        )
        taken.push(performance.now() - begun)
        await runtime.runPromise(Scope.close(scope, Exit.void))
      }
      return taken
    }
  },
  () => runtime.dispose()
)
