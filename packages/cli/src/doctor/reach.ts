import { Effect, Result } from "effect"
import { networkInterfaces } from "node:os"
import { connectTo, findServer } from "../connection/Connection.ts"
import type { Trouble } from "../app/Trouble.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { bad, type Finding, ok, warn } from "./Finding.ts"
import type { Standing } from "../up/standing.ts"
import { ourName, startWords } from "../app/NameConfig.ts"

/** Whether this host is on a network at all. Nothing is asked of it. */
export const network = (): Finding => {
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ internal }) => !internal))
  return addresses.length > 0
    ? ok("network", "this host is on a network")
    : warn("network", "this host is on no network", "Connect it. Without one the demo model works, and no other.")
}

const unanswered = (url: string, { advice, what }: Trouble): Finding =>
  bad("key", what.includes(url) ? what : `${url}: ${what}`, advice ?? `Look what runs with ${ourName} status.`)

/** Whether the server that commands talk to answers, and takes the key that they come with. */
export const key = Effect.fnUntraced(function* (given: UpConfig, { url }: Standing) {
  const server = yield* Effect.result(findServer(given))
  if (Result.isFailure(server)) {
    const { advice, what } = server.failure
    return (url === null ? warn : bad)("key", what.replace(/\.$/, ""), advice ?? startWords)
  }
  const me = yield* Effect.result(connectTo(server.success).ask(({ access }) => access.me()))
  if (Result.isFailure(me)) return unanswered(server.success.url, me.failure)
  const { scopes, token } = me.success
  return ok("key", `${server.success.url} takes it: ${token.name}, for ${scopes.join(", ")}`)
})
