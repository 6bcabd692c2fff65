import { Contender } from "../../harness/Contender.ts"
import { processorMs } from "../../harness/Processor.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile, spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { frameOf } from "./crowd.ts"
import { post } from "./http.ts"
import type { Storm } from "./storm.ts"
import { paced, noted, noteAll, withWorld } from "./world.ts"

const behind = 20

const startReaders = async () => {
  const child = await Contender.start(new URL("./storm.ts", import.meta.url))
  return {
    come: (storm: Storm) => child.request<number>("come", storm),
    [Symbol.asyncDispose]: () => child.stop()
  }
}

const resumed = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p9", async (world) => {
    const { bare, bareOrigin, open, origin, pid } = world
    const { calibrate, plan, quick, say } = context
    const count = quick ? 200 : 2_000
    const [read, written] = [await open(), await open()]
    await noteAll(origin, `/v1/sessions/${read}`, behind * 2)
    await bare.request("show", { page: "{}", frame: await frameOf(world), backlog: behind })
    const { version } = JSON.parse(await (await fetch(`${origin}/test/current?session=${read}`)).text()).ok as {
      version: number
    }
    await using readers = await startReaders()
    const storm = (at: string, path: string) => readers.come({ origin: at, path, readers: count, frames: behind })
    const write = (ms: number) => paced(50, ms, (n) => post(origin, `/v1/sessions/${written}`, noted(String(n))))
    const slower: Array<number> = []
    /** Processor time of the node for each reader that came, with what was written meanwhile. */
    const costs: Array<number> = []
    const ours = async () => {
      const calm = quantile(await write(2_000), 0.99)
      const path = `/v1/sessions/${read}/log/stream?after=${version - behind}`
      const spent = processorMs(pid)
      let isOver = false
      const coming = storm(origin, path).finally(() => (isOver = true))
      const busy: Array<number> = []
      // For as long as they come, however long that takes here.
      do busy.push(...(await write(1_000)))
      while (!isOver)
      const ms = await coming
      costs.push(((processorMs(pid) - spent) * 1_000) / count)
      slower.push(quantile(Float64Array.from(busy).sort(), 0.99) / calm)
      return ms
    }
    const { processor } = await calibrate()
    const values = await interleave(
      [
        { name: "ours", measure: ours },
        { name: "bare", measure: () => storm(bareOrigin, "/stream") }
      ],
      plan,
      say
    )
    const metric = `${count.toLocaleString("en-US")} readers come back at once, ${behind} events behind`
    const subject = { id: "P9", metric, unit: "ms", processorUs: spread(costs.slice(1)).median }
    return [
      bounded(subject, values.get("ours")!, { atMost: 5_000 }, processor),
      compared(subject, values.get("ours")!, "bare node:http", values.get("bare")!, null),
      bounded({ id: "P9", metric: "a writer's p99 meanwhile, to its p99 before", unit: "×" }, slower.slice(1), {
        atMost: 2
      })
    ]
  })

export const resume: Bench = { id: "P9", about: "readers come back", run: resumed }
