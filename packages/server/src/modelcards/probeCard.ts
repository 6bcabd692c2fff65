import type { ModelCard, Probe } from "@troupe/domain/api/ModelCards"
import { timeOf } from "@troupe/domain/api/Page"
import { Clock, Effect, Option, type Redacted } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { Reach } from "../runners/Reach.ts"
import { bestOfRunners } from "../runners/bestOfRunners.ts"
import type { KnownRunner } from "../runners/RunnerRegistry.ts"
import { ModelCards } from "./ModelCards.ts"

const withinMs = 15_000

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

const rank = ({ status }: Probe) => order.indexOf(status)

/** Has a runner of the workspace look whether the card reaches its model, and keeps what came of it. */
export const probeCard = Effect.fn("probeCard")(function* (card: ModelCard) {
  const cards = yield* ModelCards
  const { workspaceId } = yield* Caller
  const text = yield* cards.text(workspaceId, card.id)
  const nobody = outcome("not_probed", "no runner is connected")
  return yield* cards.probed(card, yield* bestOfRunners((runner) => ask(runner, text, card.model), rank, nobody))
})
