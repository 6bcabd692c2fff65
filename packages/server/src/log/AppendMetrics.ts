import { Context, Effect, Exit, Metric } from "effect"

const everywhere = Context.empty()

const appends = Metric.histogram("troupe_append_batch_appends", {
  description: "Appends that one statement took along",
  boundaries: [1, 2, 4, 8, 16, 32, 64]
})
const refused = Metric.counter("troupe_appends_refused_total", {
  description: "Appends that were not written: fenced, overtaken, sent before, or the database was away",
  incremental: true
})
const seconds = Metric.histogram("troupe_append_batch_duration_seconds", {
  description: "How long the database took to commit a batch of appends, with all that was tried again",
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
})

/** Counts and times the batches of appends. */
export const measured =
  <Item, A, E>(run: (batch: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>>) =>
  (batch: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>> =>
    Effect.suspend(() => {
      const began = performance.now()
      return Effect.map(run(batch), (exits) => {
        seconds.updateUnsafe((performance.now() - began) / 1_000, everywhere)
        appends.updateUnsafe(batch.length, everywhere)
        const failed = exits.filter(Exit.isFailure).length
        if (failed > 0) refused.updateUnsafe(failed, everywhere)
        return exits
      })
    })
