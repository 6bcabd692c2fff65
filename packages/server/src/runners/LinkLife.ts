import { Limits } from "@troupe/domain/Limits"
import { isSettled } from "@troupe/domain/runner/Hello"
import { NodeAddress } from "../cluster/Cluster.ts"
import { Context, Effect } from "effect"
import type { ListenAddress } from "../Config.ts"
import { OwnServices } from "../outbound/OwnServices.ts"
import { Asking } from "./Asking.ts"
import type { CallTag, StreamTag } from "./Calls.ts"
import type { Connection } from "./Connection.ts"
import { DeletedPlaces } from "./DeletedPlaces.ts"
import { counting } from "./Followed.ts"
import { greet } from "./Greeting.ts"
import { type RunnerLink, RunnerLinks } from "./RunnerLinks.ts"
import { type RunnerIdentity, RunnerRegistry } from "./RunnerRegistry.ts"
import { spokenOver } from "./spokenOver.ts"
import { Verdicts } from "./Verdicts.ts"

/** How links are looked after. */
export const LinkTimes = Context.Reference<{
  readonly pingEveryMs: number
  /** A runner that does not answer a ping for so long is dead. */
  readonly pongWithinMs: number
  /** How often a runner is asked anew what it can do and what it has in its journal. */
  readonly greetEveryMs: number
}>("server/LinkTimes", {
  defaultValue: () => ({ pingEveryMs: 5_000, pongWithinMs: 10_000, greetEveryMs: 300_000 })
})

/** One that could do nothing, or was still trying something, may be ready by then: its host is busy, or somebody has seen to it. */
const greetUnsettledEveryMs = 15_000

/** How long runners may work without being heard, as owners of sessions hold them to it. */
export const ContactLease = Context.Reference<number>("server/ContactLease", {
  defaultValue: () => Limits.contactLeaseMs
})

/** Asks again and again how busy the runner is. */
const ping = Effect.fnUntraced(function* (link: RunnerLink) {
  const { connection, identity } = link
  const { pingEveryMs, pongWithinMs } = yield* LinkTimes
  for (let n = 1; ; n++) {
    link.load = yield* Effect.timeout(connection.call(identity.runnerId, "Ping", { n }), pongWithinMs)
    yield* Effect.sleep(pingEveryMs)
  }
})

/**
 * A runner's connection, from its greeting to its end; `at` is where it found this node. It is greeted again from time to time: an owner may have died
 * between the end of an attempt and telling so, while the link went on.
 */
export const serveLink = Effect.fnUntraced(function* (
  connection: Connection<CallTag, StreamTag>,
  identity: RunnerIdentity,
  at: ListenAddress
) {
  const registry = yield* RunnerRegistry
  const links = yield* RunnerLinks
  const verdicts = yield* Verdicts
  const asking = yield* Asking
  const deleted = yield* DeletedPlaces
  const { host, port } = yield* NodeAddress
  const { greetEveryMs } = yield* LinkTimes
  const { runnerId } = identity
  const node = `${host}:${port}`

  const generation = yield* registry.allot(runnerId)
  const own = yield* OwnServices
  const contactLeaseMs = yield* ContactLease
  const greeting = Effect.flatMap(own.told(at), (ours) =>
    greet(connection, { runnerId, generation, node, contactLeaseMs, ours })
  )
  const hello = yield* greeting
  yield* Effect.addFinalizer(() => Effect.ignore(registry.unregister(runnerId, generation)))
  const load = { attempts: 0, sessions: 0, draining: hello.draining }
  const { version } = hello
  const followed = counting(spokenOver(connection, version))
  const link: RunnerLink = { identity, generation, version, hello, load, drained: null, ...followed }
  const newest = yield* registry.register({ runnerId, generation, node, hello })
  if (!newest || !(yield* links.hold(link))) {
    return yield* connection.close(4409, "a newer connection of this runner is there")
  }
  yield* Effect.logInfo("A runner is here").pipe(
    Effect.annotateLogs({ runnerId, generation, version, name: identity.name, attempts: hello.attempts.length })
  )

  const greetAgain = Effect.gen(function* () {
    yield* Effect.sleep(isSettled(link.hello) ? greetEveryMs : Math.min(greetEveryMs, greetUnsettledEveryMs))
    const again = yield* greeting
    link.hello = again
    yield* registry.update(runnerId, generation, again)
    yield* verdicts.settle(link, again.attempts)
    yield* deleted.takeAway(link)
  }).pipe(
    Effect.catch((error) =>
      "code" in error ? connection.close(error.code, error.detail) : Effect.logWarning("A hello was not kept", error)
    ),
    Effect.forever
  )

  yield* Effect.forkScoped(Effect.andThen(verdicts.settle(link, hello.attempts), deleted.takeAway(link)))
  yield* Effect.forkScoped(asking.serve(link))
  yield* Effect.forkScoped(Effect.catch(ping(link), () => connection.close(4408, "the runner does not answer")))
  yield* Effect.forkScoped(greetAgain)
})
