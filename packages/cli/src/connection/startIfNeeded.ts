import { Effect, Option } from "effect"
import { ContextName } from "../app/globals.ts"
import { inBackground } from "../up/background.ts"
import { holderOf } from "../up/Home.ts"
import { say } from "../up/Talk.ts"
import { config, connectPatiently, findServer } from "./Connection.ts"
import { namesServer } from "./ConnectionConfig.ts"
import { ourName } from "../app/NameConfig.ts"

/** Talks to the server that is meant. Where that is the home's own and it does not run, it is started first. */
export const connectOrStart = Effect.gen(function* () {
  const given = yield* config
  const context = yield* ContextName
  if (Option.isNone(context) && !namesServer(given) && holderOf(given.home)?.ready !== true) {
    yield* say("Starting Troupe in the background …")
    yield* inBackground(given)
    yield* say(`It runs now; ${ourName} stop ends it.`)
  }
  const server = yield* findServer(given)
  return { given, connection: yield* connectPatiently(server) }
})
