import { Effect } from "effect"
import type { Recorded } from "@troupe/domain/log/Envelope"
import { EventStore, type Cursor } from "../../src/log/EventStore.ts"
import type { Prng } from "../../../../test/support/Prng.ts"

interface Seat {
  readonly ticket: number
  readonly index: number
  readonly event: Recorded
}

const isAfter = ({ index, ticket }: Seat, { position, xid }: Cursor): boolean =>
  ticket > Number(xid) || (ticket === Number(xid) && index > Number(position))

interface Options {
  /** Somebody who reads on as soon as something is committed. */
  readonly committed: Effect.Effect<void>
  /** For proving the judge: reads what is there, whatever may still come before it. */
  readonly unsafeReadAll: boolean
}

/**
 * A store whose appends take their place in the order of all streams when they begin and are seen when they commit, as
 * transactions do. Its reader over all streams holds back what an append under way may still come before, unless told
 * not to: then it is the reader that skips events that commit late.
 */
export const wrap = (store: EventStore["Service"], random: Prng, options: Options) => {
  const seats: Array<Seat> = []
  const underWay = new Set<number>()
  let tickets = 0
  return EventStore.of({
    ...store,
    append: (append) =>
      Effect.suspend(() => {
        const ticket = ++tickets
        underWay.add(ticket)
        const commits = random.chance(0.3) ? Effect.sleep(1 + random.int(40)) : Effect.void
        return commits.pipe(
          Effect.andThen(store.append(append)),
          Effect.tap(() =>
            Effect.sync(() => {
              const found = seats.findIndex((seat) => seat.ticket > ticket)
              const { events } = append
              const taken = events.map(({ mark: _, ...event }, index): Seat => ({ ticket, index: index + 1, event }))
              seats.splice(found < 0 ? seats.length : found, 0, ...taken)
            })
          ),
          Effect.ensuring(Effect.sync(() => underWay.delete(ticket))),
          Effect.tap(() => options.committed)
        )
      }),
    readAll: ({ after, limit }) =>
      Effect.sync(() => {
        const horizon = options.unsafeReadAll ? Infinity : Math.min(Infinity, ...underWay)
        return seats
          .filter((seat) => seat.ticket < horizon && isAfter(seat, after))
          .slice(0, limit)
          .map(({ event, index, ticket }) => ({ cursor: { xid: String(ticket), position: String(index) }, event }))
      })
  })
}
