// Not TypeScript, since its dependencies are only there once a benchmark has asked for them.
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql"
import { closedLoop } from "../harness/closedLoop.ts"
import { payloadOf } from "../harness/payload.ts"
import { serve } from "../harness/serve.ts"

const store = getPostgreSQLEventStore(process.env.DATABASE_URL)
await store.schema.migrate()

const event = (mark) => ({ type: "MessageReceived", data: JSON.parse(payloadOf(mark)) })
/** Streams of one slot, so that none of two operations under way share one. */
const streamsPerSlot = 8
const versions = new Map()

const append = async (stream) => {
  const expectedStreamVersion = versions.get(stream)
  const options = expectedStreamVersion === undefined ? {} : { expectedStreamVersion }
  const { nextExpectedStreamVersion } = await store.appendToStream(stream, [event(stream)], options)
  versions.set(stream, nextExpectedStreamVersion)
}

serve(
  {
    append: ({ inFlight, ms }) =>
      closedLoop(inFlight, ms, (slot, turn) => append(`s-${slot}-${turn % streamsPerSlot}`)),
    fill: async ({ events, stream }) => {
      for (let left = events; left > 0; left -= 500) {
        const batch = Array.from({ length: Math.min(500, left) }, (_, index) => event(`${stream}-${index}`))
        await store.appendToStream(stream, batch)
      }
    },
    aggregate: async ({ stream, times }) => {
      const taken = []
      let version = 0n
      for (let time = 0; time < times; time++) {
        const begun = performance.now()
        const { state } = await store.aggregateStream(stream, {
          initialState: () => ({ events: 0, last: "" }),
          evolve: (state, { data }) => ({ events: state.events + 1, last: data.mark })
        })
        taken.push(performance.now() - begun)
        version = BigInt(state.events)
      }
      return { taken, events: Number(version) }
    }
  },
  () => store.close()
)
