import { processorMs } from "../../harness/Processor.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile, spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { follow, post, type Following } from "./http.ts"
import { paced, noted, noteAll, withWorld, type World } from "./world.ts"

const eventsEach = 10

/** One event as it is on the stream, for the bare server to write the same bytes. */
const frameOf = async ({ open, origin }: World): Promise<string> => {
  const session = await open()
  let heard = ""
  let come = () => undefined as void
  const first = new Promise<void>((resolve) => (come = resolve))
  const reader = await follow(origin, `/v1/sessions/${session}/log/stream?types[]=SessionUpdated`, (frame) => {
    heard = `${frame.toString()}\n\n`
    come()
  })
  await post(origin, `/v1/sessions/${session}`, noted("shown"))
  await first
  reader.close()
  return heard
}

/** Readers of one server that count what they get, and say when they have all of it. */
class Crowd {
  #missing = 0
  #whole: () => void = () => undefined
  readonly #readers: Array<Following> = []

  async join(origin: string, path: (n: number) => string, count: number): Promise<void> {
    for (let n = 0; n < count; n += 100) {
      const some = Array.from({ length: Math.min(100, count - n) }, (_, at) =>
        follow(origin, path(n + at), () => {
          if (--this.#missing === 0) this.#whole()
        })
      )
      this.#readers.push(...(await Promise.all(some)))
    }
  }

  /** Resolves once so many more frames have come to all of them together. */
  async gets(frames: number, send: () => Promise<unknown>): Promise<void> {
    this.#missing += frames
    const whole = new Promise<void>((resolve) => (this.#whole = resolve))
    await Promise.all([send(), whole])
  }

  leave(): void {
    for (const { close } of this.#readers) close()
  }
}

const fannedOut = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p8", async (world) => {
    const { bare, bareOrigin, open, origin, pid } = world
    const { plan, quick, say } = context
    const count = quick ? 200 : 1_000
    const session = await open()
    await bare.request("show", { page: "{}", frame: await frameOf(world) })
    const costs = { ours: [] as Array<number>, bare: [] as Array<number> }
    const side = async (name: "ours" | "bare", at: string, streamed: string, sent: string, process: number) => {
      const crowd = new Crowd()
      await crowd.join(at, () => streamed, count)
      let turn = 0
      const measure = async (ms: number) => {
        const spent = processorMs(process)
        const begun = performance.now()
        let deliveries = 0
        while (performance.now() - begun < ms) {
          await crowd.gets(count * eventsEach, () => noteAll(at, sent, eventsEach, String(turn++)))
          deliveries += count * eventsEach
        }
        costs[name].push(((processorMs(process) - spent) * 1_000) / deliveries)
        return (deliveries / (performance.now() - begun)) * 1_000
      }
      return { crowd, name, measure }
    }
    const sides = [
      await side(
        "ours",
        origin,
        `/v1/sessions/${session}/log/stream?types[]=SessionUpdated`,
        `/v1/sessions/${session}`,
        pid
      ),
      await side("bare", bareOrigin, "/stream", "/publish", bare.child.pid!)
    ]
    const values = await interleave(sides, plan, say)
    for (const { crowd } of sides) crowd.leave()
    const [ours, peer] = [values.get("ours")!, values.get("bare")!]
    const cost = (of: ReadonlyArray<number>) => spread(of.slice(1)).median
    const subject = {
      id: "P8",
      metric: `fan-out of one session to ${count.toLocaleString("en-US")} readers`,
      unit: "deliveries/s",
      processorUs: cost(costs.ours),
      peerProcessorUs: cost(costs.bare),
      note: "processor time is the server's alone; an event of ours is also committed"
    }
    return [compared(subject, ours, "bare node:http SSE", peer, { atLeast: 0.7 })]
  })

export const fanOut: Bench = { id: "P8", about: "many readers of one session", run: fannedOut }

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
