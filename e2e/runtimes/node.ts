// A whole node: its database, its place in the cluster, a session opened and read back. Its database is in DATABASE_URL.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { SessionId } from "@troupe/domain/Ids"
import { sessionStatus } from "@troupe/domain/session/standing"
import { Effect, References } from "effect"
import { load } from "../../packages/server/src/Config.ts"
import * as Node from "../../packages/server/src/Node.ts"
import { Sessions } from "../../packages/server/src/session/Sessions.ts"
import { commandOf, openCommand } from "../../packages/server/test/support/CommandGenerator.ts"
import { mintId, prng } from "../../test/support/Prng.ts"

const program = Effect.gen(function* () {
  const sessions = yield* Sessions
  const random = prng(1)
  const sessionId = mintId(random, "Session") as SessionId
  const open = commandOf(random, 1_700_000_000_000, { ...openCommand(random, sessionId), inputs: [] } as never)
  const first = yield* sessions.handle(sessionId, open)
  // The same command again gets the same answer.
  const second = yield* sessions.handle(sessionId, open)
  const { state, version } = yield* sessions.current(sessionId)
  console.log(first.seq, second.seq, version, state._tag === "Open" ? JSON.stringify(sessionStatus(state)) : state._tag)
})

const main = Effect.gen(function* () {
  const config = yield* load
  return yield* program.pipe(
    Effect.provide(Node.layer(config)),
    Effect.provideService(References.MinimumLogLevel, "Error")
  )
})

NodeRuntime.runMain(main)
