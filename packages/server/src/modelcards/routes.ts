import * as Api from "@troupe/domain/api/ModelCards"
import { Effect, Layer } from "effect"
import { pageOf } from "../gateway/places.ts"
import { type Asked, route } from "../gateway/Route.ts"
import { sealing } from "../secrets/sealing.ts"
import { ModelCards } from "./ModelCards.ts"
import { probeCard } from "./probeCard.ts"

const list = route(Api.list, "read", ({ caller, query }) =>
  Effect.flatMap(ModelCards, (cards) =>
    pageOf("model_cards", query, (options) => cards.list(caller.workspaceId, options))
  )
)
const create = route(Api.create, "admin", ({ payload }) =>
  sealing(Effect.flatMap(ModelCards, (cards) => Effect.flatMap(cards.create(payload), probeCard)))
)
const retrieve = route(Api.retrieve, "read", ({ caller, params }) =>
  Effect.flatMap(ModelCards, (cards) => cards.find(caller.workspaceId, params.id))
)
const updated = ({ params, payload }: Asked<typeof Api.update>) =>
  sealing(
    Effect.gen(function* () {
      const cards = yield* ModelCards
      const card = yield* cards.update(params.id, payload)
      // Where nothing changed, what came of the last trial still stands.
      return card.probe.status === "not_probed" ? yield* probeCard(card) : card
    })
  )
const update = Layer.merge(route(Api.update, "admin", updated), route(Api.update, "admin", updated, { method: "PUT" }))
const probe = route(Api.probe, "admin", ({ caller, params }) =>
  sealing(Effect.flatMap(ModelCards, (cards) => Effect.flatMap(cards.find(caller.workspaceId, params.id), probeCard)))
)
const remove = route(Api.remove, "admin", ({ params }) =>
  Effect.flatMap(ModelCards, (cards) =>
    Effect.as(cards.remove(params.id), { id: params.id, type: "model_card_deleted" as const })
  )
)

export const routes = Layer.mergeAll(list, create, retrieve, update, probe, remove)
