import { Effect, Layer } from "effect"
import { type RunnerLink, RunnerLinks } from "./RunnerLinks.ts"
import { type LinkStanding, RunnerRegistry } from "./RunnerRegistry.ts"

const everyMs = 2_000

const endings = {
  revoked: { code: 4401, reason: "the credential was revoked" },
  replaced: { code: 4409, reason: "a newer connection of this runner is elsewhere" }
} as const

const apply = Effect.fnUntraced(
  function* (link: RunnerLink, { drained, ended }: LinkStanding) {
    const { connection, identity } = link
    if (ended !== null) return yield* connection.close(endings[ended].code, endings[ended].reason)
    if (drained && link.drained !== true) {
      yield* connection.call(identity.runnerId, "Drain", { reason: "an operator asked for it" })
    }
    link.drained = drained
  },
  (effect) => Effect.ignore(effect)
)

const pass = Effect.gen(function* () {
  const links = yield* RunnerLinks
  const registry = yield* RunnerRegistry
  const held = links.all()
  const standings = yield* registry.touch(
    held.map(({ followed, generation, identity, load }) => ({
      runnerId: identity.runnerId,
      generation,
      load: { ...load, attempts: followed() }
    }))
  )
  yield* Effect.forEach(
    held,
    (link) => {
      const standing = standings.find(
        (one) => one.runnerId === link.identity.runnerId && one.generation === link.generation
      )
      return standing === undefined ? Effect.void : Effect.forkChild(apply(link, standing))
    },
    { discard: true }
  )
})

/**
 * Compares the links of this node with what the database says of their runners, every other second: revoked credentials
 * and overtaken connections end, and what the runners are doing is written down for those who place.
 */
export const layer = Layer.effectDiscard(
  pass.pipe(
    Effect.catchCause((cause) => Effect.logWarning("Could not look after the links of runners", cause)),
    Effect.andThen(Effect.sleep(everyMs)),
    Effect.forever,
    Effect.forkScoped
  )
)
