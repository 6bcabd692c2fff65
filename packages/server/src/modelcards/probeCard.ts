import type { ModelCard, Probe } from "@troupe/domain/api/ModelCards"
import { timeOf } from "@troupe/domain/api/Page"
import { Clock, Effect, Option, type Redacted } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { Reach } from "../runners/Reach.ts"
import { type KnownRunner, RunnerRegistry } from "../runners/RunnerRegistry.ts"
import { ModelCards } from "./ModelCards.ts"

/** Runners that are asked, one after the other until one reaches the model, and for how long each. */
const runnersMax = 3
const withinMs = 15_000

const canBeAsked = ({ hello, node, revoked }: KnownRunner): boolean => node !== null && hello !== null && !revoked

const outcome = (
  status: Probe["status"],
  reason: string | null,
  more: Partial<Probe> & { readonly at?: number } = {}
): Probe => ({
  status,
  reason,
  runner_id: more.runner_id ?? null,
  model_listed: more.model_listed ?? null,
  probed_at: more.at === undefined ? null : timeOf(more.at)
})

const ask = Effect.fnUntraced(function* ({ name, runnerId }: KnownRunner, card: Redacted.Redacted, model: string) {
  const reach = yield* Reach
  const asked = yield* reach.call(runnerId, "ProbeModel", { card }).pipe(Effect.timeoutOption(withinMs), Effect.result)
  if (asked._tag === "Failure" || Option.isNone(asked.success)) {
    return outcome("not_probed", `runner ${name} gave no answer`)
  }
  const { models, notes, usable } = asked.success.value
  const listed = models.length === 0 ? null : models.includes(model)
  const reason = notes.join("; ").slice(0, 500)
  return outcome(usable ? "usable" : "unusable", reason === "" ? null : reason, {
    runner_id: runnerId,
    model_listed: listed,
    at: yield* Clock.currentTimeMillis
  })
})

const order: ReadonlyArray<Probe["status"]> = ["usable", "unusable", "not_probed"]

const tried = Effect.fnUntraced(function* (card: Redacted.Redacted, model: string) {
  const { workspaceId } = yield* Caller
  const registry = yield* RunnerRegistry
  const runners = (yield* registry.list(workspaceId)).filter(canBeAsked).slice(0, runnersMax)
  let best = outcome("not_probed", "no runner is connected")
  for (const [at, runner] of runners.entries()) {
    const probe = yield* ask(runner, card, model)
    if (at === 0 || order.indexOf(probe.status) < order.indexOf(best.status)) best = probe
    if (best.status === "usable") break
  }
  return best
})

/** Has a runner of the workspace look whether the card reaches its model, and keeps what came of it. */
export const probeCard = Effect.fn("probeCard")(function* (card: ModelCard) {
  const cards = yield* ModelCards
  const { workspaceId } = yield* Caller
  const text = yield* cards.text(workspaceId, card.id)
  return yield* cards.probed(card, yield* tried(text, card.model))
})
