import { Effect } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { type KnownRunner, RunnerRegistry } from "./RunnerRegistry.ts"

/** Runners that are asked, one after the other. */
const runnersMax = 3

const canBeAsked = ({ hello, node, revoked }: KnownRunner): boolean => node !== null && hello !== null && !revoked

/** Asks connected runners of the caller's workspace until one says the best that there is to say; else what came nearest. */
export const bestOfRunners = Effect.fnUntraced(function* <A, E, R>(
  ask: (runner: KnownRunner) => Effect.Effect<A, E, R>,
  /** The best is 0. */
  rank: (answer: A) => number,
  nobody: A
) {
  const { workspaceId } = yield* Caller
  const registry = yield* RunnerRegistry
  const runners = (yield* registry.list(workspaceId)).filter(canBeAsked).slice(0, runnersMax)
  let best = nobody
  for (const [at, runner] of runners.entries()) {
    const answer = yield* ask(runner)
    if (at === 0 || rank(answer) < rank(best)) best = answer
    if (rank(best) === 0) break
  }
  return best
})
