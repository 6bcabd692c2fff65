import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { Crowd, frameOf } from "./crowd.ts"
import { post } from "./http.ts"
import { paced, noted, noteAll, withWorld } from "./world.ts"

const behind = 20

const resumed = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p9", async (world) => {
    const { bare, bareOrigin, open, origin } = world
    const { calibrate, plan, quick, say } = context
    const count = quick ? 200 : 2_000
    const [read, written] = [await open(), await open()]
    await noteAll(origin, `/v1/sessions/${read}`, behind * 2)
    await bare.request("show", { page: "{}", frame: await frameOf(world), backlog: behind })
    const { version } = JSON.parse(await (await fetch(`${origin}/test/current?session=${read}`)).text()).ok as {
      version: number
    }
    const storm = async (at: string, path: string) => {
      const crowd = new Crowd()
      const begun = performance.now()
      await crowd.gets(count * behind, () => crowd.join(at, () => path, count))
      const ms = performance.now() - begun
      crowd.leave()
      return ms
    }
    const write = (ms: number) => paced(50, ms, (n) => post(origin, `/v1/sessions/${written}`, noted(String(n))))
    const slower: Array<number> = []
    const ours = async () => {
      const calm = quantile(await write(2_000), 0.99)
      const path = `/v1/sessions/${read}/log/stream?after=${version - behind}`
      const [ms, busy] = await Promise.all([storm(origin, path), write(2_000)])
      slower.push(quantile(busy, 0.99) / calm)
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
    const subject = { id: "P9", metric, unit: "ms" }
    return [
      bounded(subject, values.get("ours")!, { atMost: 5_000 }, processor),
      compared(subject, values.get("ours")!, "bare node:http", values.get("bare")!, null),
      bounded({ id: "P9", metric: "a writer's p99 meanwhile, to its p99 before", unit: "×" }, slower.slice(1), {
        atMost: 2
      })
    ]
  })

export const resume: Bench = { id: "P9", about: "readers come back", run: resumed }
