import { Contender } from "../../harness/Contender.ts"
import { collecting, neededKiB } from "../../harness/Memory.ts"
import { processorMs } from "../../harness/Processor.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { peers } from "../../peers/install.ts"
import { Crowd, frameOf } from "./crowd.ts"
import { post, send } from "./http.ts"
import { noted, withWorld, type World } from "./world.ts"

/** Somebody who brings what is written to those who follow it. */
interface Server {
  readonly name: "ours" | "bare" | "streams"
  readonly origin: string
  readonly pid: number
  /** Where the n-th stream is followed, and where what it brings is written. */
  readonly followed: (n: number) => string
  readonly write: (n: number, mark: string) => Promise<unknown>
  readonly counts?: (frame: Buffer) => boolean
}

const startStreams = async (frame: string, count: number) => {
  const contender = await Contender.start(peers.durableStreams, { execArgv: collecting })
  const origin = await contender.request<string>("listen")
  const data = JSON.stringify({ data: frame })
  for (let n = 0; n < count; n++) await send("PUT", origin, `/s-${n}`, "")
  const isData = Buffer.from("event: data")
  const server: Server = {
    name: "streams",
    origin,
    pid: contender.child.pid!,
    followed: (n) => `/s-${n}?offset=-1&live=sse`,
    write: (n) => send("POST", origin, `/s-${n}`, data),
    counts: (one) => one.subarray(0, isData.length).equals(isData)
  }
  return { server, [Symbol.asyncDispose]: () => contender.stop() }
}

const ofOurs = async ({ open, origin, pid }: World, count: number): Promise<Server> => {
  const sessions: Array<string> = []
  for (let n = 0; n < count; n++) sessions.push(await open())
  return {
    name: "ours",
    origin,
    pid,
    followed: (n) => `/v1/sessions/${sessions[n]}/log/stream?types[]=SessionUpdated`,
    write: (n, mark) => post(origin, `/v1/sessions/${sessions[n]}`, noted(mark))
  }
}

const ofBare = ({ bare, bareOrigin: origin }: World): Server => ({
  name: "bare",
  origin,
  pid: bare.child.pid!,
  followed: (n) => `/stream/${n}`,
  write: (n) => post(origin, `/publish/${n}`, "{}")
})

interface Shape {
  readonly streams: number
  readonly readers: number
  /** How many changes of each stream are written at once. */
  readonly changes: number
}

/** Readers of one server, what a connection of theirs takes of its memory, and what they get in a second. */
const crowded = async ({ counts, followed, name, origin, pid, write }: Server, shape: Shape) => {
  const { changes, readers, streams } = shape
  const crowd = new Crowd()
  // What a server has for its first readers, it has once.
  const first = new Crowd()
  await first.join(origin, () => followed(0), 10, counts)
  const before = await neededKiB(pid)
  await crowd.join(origin, (n) => followed(n % streams), readers, counts)
  const bytesEach = (((await neededKiB(pid)) - before) * 1_024) / readers
  first.leave()
  const costs: Array<number> = []
  let turn = 0
  const measure = async (ms: number) => {
    const spent = processorMs(pid)
    const begun = performance.now()
    let deliveries = 0
    while (performance.now() - begun < ms) {
      const mark = `${turn++}`
      const all = Array.from({ length: streams * changes }, (_, n) => n)
      await crowd.gets(readers * changes, () => Promise.all(all.map((n) => write(n % streams, `${mark} ${n}`))))
      deliveries += readers * changes
    }
    costs.push(((processorMs(pid) - spent) * 1_000) / deliveries)
    return (deliveries / (performance.now() - begun)) * 1_000
  }
  return { crowd, side: { name, measure }, bytesEach, cost: () => spread(costs.slice(1)).median }
}

const number = (n: number) => n.toLocaleString("en-US")

const measured = async (context: Context, world: World, shape: Shape): Promise<ReadonlyArray<Result>> => {
  const { plan, say } = context
  const frame = await frameOf(world)
  await world.bare.request("show", { page: "{}", frame })
  await using streams = await startStreams(frame, shape.streams)
  const ours = await crowded(await ofOurs(world, shape.streams), shape)
  const bare = await crowded(ofBare(world), shape)
  const peer = await crowded(streams.server, shape)
  const all = [ours, bare, peer]
  say(`  bytes a connection: ${all.map(({ bytesEach, side }) => `${side.name} ${bytesEach.toFixed(0)}`).join(" · ")}`)
  const values = await interleave(
    all.map(({ side }) => side),
    plan,
    say
  )
  for (const { crowd } of all) crowd.leave()
  const metric =
    shape.streams === 1
      ? `fan-out of one session to ${number(shape.readers)} readers`
      : `fan-out of ${number(shape.streams)} sessions to ${number(shape.readers)} readers`
  const subject = (of: typeof bare) => ({
    id: "P8",
    metric,
    unit: "deliveries/s",
    processorUs: ours.cost(),
    peerProcessorUs: of.cost(),
    note: "processor time is the server's alone; an event of ours is also committed"
  })
  const memory = { id: "P8", metric: `memory a connection beyond bare, ${metric}`, unit: "bytes" }
  return [
    compared(subject(bare), values.get("ours")!, "bare node:http SSE", values.get("bare")!, { atLeast: 0.85 }),
    compared(subject(peer), values.get("ours")!, "durable-streams", values.get("streams")!, { atLeast: 2 }),
    bounded(memory, [ours.bytesEach - bare.bytesEach], { atMost: 8_192 })
  ]
}

const shapes = (quick: boolean): ReadonlyArray<Shape> =>
  quick
    ? [
        { streams: 1, readers: 200, changes: 10 },
        { streams: 100, readers: 1_000, changes: 1 }
      ]
    : [
        { streams: 1, readers: 1_000, changes: 10 },
        { streams: 500, readers: 5_000, changes: 1 }
      ]

const fannedOut = async (context: Context): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  for (const [n, shape] of shapes(context.quick).entries()) {
    results.push(...(await withWorld(context, `p8_${n}`, (world) => measured(context, world, shape))))
  }
  return results
}

export const fanOut: Bench = { id: "P8", about: "many readers of one session, and of many", run: fannedOut }
