import type { Load } from "../../harness/closedLoop.ts"
import { Contender } from "../../harness/Contender.ts"
import { compared } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import type { Bench } from "../../harness/Suite.ts"
import { peers } from "../../peers/install.ts"
import { loadOf } from "../core/contenders.ts"

const steps = 3

/**
 * A turn in process beside workflows of three steps. A turn here is a message, an attempt, two model requests and a tool call
 * behind its intent gate: three commits one after the other, 15 events. Models, tools and workflow steps do nothing.
 */
export const durable: Bench = {
  id: "P3",
  about: "a durable turn, in process",
  run: async ({ plan, say, server }) => {
    const env = async (name: string) => ({ env: { DATABASE_URL: (await server.create(name)).url } })
    const file = new URL("./turns.ts", import.meta.url)
    const ours = await Contender.start(file, { env: { DATABASE_URL: (await server.createMigrated("p3_turns")).url } })
    const dbos = await Contender.start(peers.dbos, await env("p3_dbos"))
    const restate = await Contender.start(peers.restate, { env: { RESTATE_LOGGING: "ERROR" } })
    const latency = new Map<number, Array<number>>()
    const noting = (inFlight: number) => (load: Load) =>
      void latency.set(inFlight, [...(latency.get(inFlight) ?? []), load.p50Ms])
    try {
      const results = []
      for (const inFlight of [16, 1]) {
        const sides = [
          loadOf("turns", ours, "turns", inFlight, {}, noting(inFlight)),
          loadOf("DBOS", dbos, "workflows", inFlight, { steps }),
          loadOf("Restate", restate, "handlers", inFlight, { steps })
        ]
        const values = await interleave(sides, plan, say)
        say(
          `  p50 with ${inFlight} in flight: ${latency
            .get(inFlight)!
            .map((ms) => ms.toFixed(1))
            .join(", ")} ms`
        )
        const subject = { id: "P3", metric: `turns, ${inFlight} in flight`, unit: "turns/s" }
        const bound = (atLeast: number) => (inFlight === 16 ? { atLeast } : null)
        results.push(
          compared(subject, values.get("turns")!, "DBOS, three steps", values.get("DBOS")!, bound(3)),
          compared(subject, values.get("turns")!, "Restate, three steps", values.get("Restate")!, bound(1.3))
        )
      }
      return results
    } finally {
      await Promise.all([ours.stop(), dbos.stop(), restate.stop()])
    }
  }
}
