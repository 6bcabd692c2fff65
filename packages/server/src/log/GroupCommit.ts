import { Context, Effect, Exit, type Scope } from "effect"

export interface GroupCommitOptions<Item, A, E> {
  /** Items of one key are run one after the other, in the order they came. */
  readonly key: (item: Item) => string
  readonly bytes: (item: Item) => number
  readonly itemsMax: number
  readonly bytesMax: number
  readonly inFlightMax: number
  /** Batches are made no smaller than this only to have several under way. */
  readonly itemsWorth: number
  /** Bounds of what may wait; beyond them `refused` answers at once. */
  readonly waitingItemsMax: number
  readonly waitingBytesMax: number
  /** Runs a batch of distinct keys, and says how it ended for each. Is never interrupted. */
  readonly run: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>>
  readonly refused: (why: "full" | "closed") => E
}

interface Entry<Item, A, E> {
  readonly item: Item
  readonly key: string
  readonly bytes: number
  readonly resume: (effect: Effect.Effect<A, E>) => void
  abandoned: boolean
}

/** Of the scheduler, that a batch waits at most while more keep coming. */
const turnsMax = 8

/**
 * Turns many small commits into few large ones. What arrives while a batch is being committed is the next batch: the
 * more callers there are, the larger batches get, and nobody ever waits for a timer.
 *
 * A caller that is interrupted before its item is under way takes it back; after that the item is finished, whoever
 * is still there to hear of it.
 */
export const make = Effect.fnUntraced(function* <Item, A, E>(
  options: GroupCommitOptions<Item, A, E>
): Effect.fn.Return<(item: Item) => Effect.Effect<A, E>, never, Scope.Scope> {
  type Waiting = Entry<Item, A, E>
  /** First in line of each key that is not under way. */
  let ready: Array<Waiting> = []
  /** Keys in line or under way, and what else waits for them. */
  const keys = new Map<string, Array<Waiting>>()
  let items = 0
  let bytes = 0
  /** Batches under way, and the items in them. */
  let inFlight = 0
  let underWay = 0
  let starting = false
  let closed = false
  let onIdle: (() => void) | undefined

  const fork = Effect.runForkWith(Context.empty())

  const enqueue = (entry: Waiting) => {
    items++
    bytes += entry.bytes
    const line = keys.get(entry.key)
    if (line !== undefined) {
      line.push(entry)
      return
    }
    keys.set(entry.key, [])
    ready.push(entry)
    start()
  }

  const leave = (entry: Waiting) => {
    items--
    bytes -= entry.bytes
  }

  /** The key is free: the next of its line, if any, becomes ready. */
  const free = (key: string) => {
    const next = keys.get(key)!.shift()
    if (next === undefined) keys.delete(key)
    else ready.push(next)
  }

  const takeBatch = (): ReadonlyArray<Waiting> => {
    const batch: Array<Waiting> = []
    let size = 0
    let at = 0
    // Were all to go in one batch, callers and database would wait for each other in turns, and neither would be busy.
    const share = Math.ceil((ready.length + underWay) / options.inFlightMax)
    const most = Math.min(options.itemsMax, Math.max(share, options.itemsWorth))
    // An abandoned entry frees its key, which may make more entries ready while we look.
    for (; at < ready.length && batch.length < most; at++) {
      const entry = ready[at]!
      if (entry.abandoned) {
        leave(entry)
        free(entry.key)
        continue
      }
      if (batch.length > 0 && size + entry.bytes > options.bytesMax) break
      size += entry.bytes
      leave(entry)
      batch.push(entry)
    }
    ready = at === ready.length ? [] : ready.slice(at)
    return batch
  }

  const runBatch = (batch: ReadonlyArray<Waiting>) =>
    options.run(batch.map((entry) => entry.item)).pipe(
      Effect.exit,
      Effect.map((exit) => {
        inFlight--
        underWay -= batch.length
        for (let i = 0; i < batch.length; i++) {
          const entry = batch[i]!
          free(entry.key)
          entry.resume(exit._tag === "Success" ? exit.value[i]! : Exit.failCause(exit.cause))
        }
        start()
        if (inFlight === 0) onIdle?.()
      }),
      Effect.uninterruptible
    )

  /** Lets turns of the scheduler pass until one brings nobody. */
  const gather = (before: number, turns: number): Effect.Effect<void> =>
    Effect.flatMap(Effect.yieldNow, () =>
      ready.length > before && turns > 1 ? gather(ready.length, turns - 1) : Effect.void
    )

  // All who were answered by the last batch are to be in the next one, and some take more than one turn to come back.
  const start = () => {
    if (starting || inFlight >= options.inFlightMax || ready.length === 0) return
    starting = true
    fork(
      Effect.andThen(
        gather(0, turnsMax),
        Effect.suspend(() => {
          starting = false
          const batch = takeBatch()
          if (batch.length === 0) return Effect.void
          inFlight++
          underWay += batch.length
          start()
          return runBatch(batch)
        })
      )
    )
  }

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closed = true
      const left = [...ready, ...[...keys.values()].flat()]
      ready = []
      keys.forEach((line) => line.splice(0))
      for (const entry of left) entry.resume(Effect.fail(options.refused("closed")))
      return Effect.callback<void>((resume) => {
        if (inFlight === 0) resume(Effect.void)
        else onIdle = () => resume(Effect.void)
      })
    })
  )

  return (item) =>
    Effect.callback((resume) => {
      const size = options.bytes(item)
      const full = items >= options.waitingItemsMax || (items > 0 && bytes + size > options.waitingBytesMax)
      if (closed || full) return resume(Effect.fail(options.refused(closed ? "closed" : "full")))
      const entry: Waiting = { item, key: options.key(item), bytes: size, resume, abandoned: false }
      enqueue(entry)
      return Effect.sync(() => {
        entry.abandoned = true
      })
    })
})
