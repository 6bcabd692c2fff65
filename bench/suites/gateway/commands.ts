import { closedLoop } from "../../harness/closedLoop.ts"
import { Contender } from "../../harness/Contender.ts"
import { payloadOf, textOf } from "../../harness/payload.ts"
import { pgbench, singleRow } from "../../harness/Pgbench.ts"
import { processorMs } from "../../harness/Processor.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile, spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { follow, post } from "./http.ts"
import { paced, noted, withWorld, type World } from "./world.ts"

const sessions = 256
const unit = "ms"

/** A message of about 420 bytes. */
const message = (mark: string): string =>
  JSON.stringify({ events: [{ type: "user.message", content: [{ type: "text", text: `${mark} ${textOf(250)}` }] }] })

const startEcho = async (page: string) => {
  const echo = await Contender.start(new URL("./echo.ts", import.meta.url))
  const port = await echo.request<number>("listen")
  await echo.request("show", { page })
  return { origin: `http://127.0.0.1:${port}`, pid: echo.child.pid!, [Symbol.asyncDispose]: () => echo.stop() }
}

/** The values of a side that were taken down beside what it returned: its warm-up is not counted. */
const measured = (values: ReadonlyArray<number>) => values.slice(1)

/** Commits of one row, one after the other, on the same server of databases. */
const committing = async ({ pgbench: path, server }: Context) => {
  if (path === undefined) return undefined
  const database = await server.create("p4_commits")
  await database.query(singleRow.table)
  const variables = { payload: payloadOf("commit") }
  return async (ms: number) =>
    (await pgbench(path, database, { script: singleRow.script, clients: 1, ms, variables })).latencyMs
}

const acknowledged = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p4", async (world) => {
    const { bare, bareOrigin, open, origin, pid } = world
    const { calibrate, plan, quick, say } = context
    const perSecond = quick ? 100 : 500
    // Paused, so that messages wait: what is measured is that they are kept, not what becomes of them.
    const paths = await Promise.all(
      Array.from({ length: sessions }, async () => {
        const session = await open()
        await post(origin, `/v1/sessions/${session}/pause`, "{}")
        return `/v1/sessions/${session}/events`
      })
    )
    const page = await post(origin, paths[0]!, message("first"))
    await bare.request("show", { page })
    await using echo = await startEcho(page)
    const late: Array<number> = []
    const costs = { ours: [] as Array<number>, bare: [] as Array<number> }
    const side = (name: "ours" | "bare", at: string, process: number) => ({
      name,
      measure: async (ms: number) => {
        const spent = processorMs(process)
        const sorted = await paced(perSecond, ms, (n) => post(at, paths[n % sessions]!, message(String(n))))
        costs[name].push(((processorMs(process) - spent) * 1_000) / sorted.length)
        if (name === "ours") late.push(quantile(sorted, 0.99))
        return quantile(sorted, 0.5)
      }
    })
    const inFlight = 64
    const together = (name: "ours" | "echo", at: string, process: number) => ({
      name: `${name}, ${inFlight}`,
      measure: async (ms: number) => {
        const spent = processorMs(process)
        const load = await closedLoop(inFlight, ms, (slot, turn) =>
          post(at, paths[(slot + turn * inFlight) % sessions]!, message(`${slot} ${turn}`))
        )
        crowds[name].push(((processorMs(process) - spent) * 1_000) / load.count)
        return load.perSecond
      }
    })
    const crowds = { ours: [] as Array<number>, echo: [] as Array<number> }
    const alone = {
      name: "ours, alone",
      measure: async (ms: number) =>
        (await closedLoop(1, ms, (_, turn) => post(origin, paths[turn % sessions]!, message(String(turn))))).p50Ms
    }
    const commits = await committing(context)
    const { commit, processor } = await calibrate()
    const values = await interleave(
      [
        side("ours", origin, pid),
        side("bare", bareOrigin, bare.child.pid!),
        together("ours", origin, pid),
        together("echo", echo.origin, echo.pid),
        alone,
        ...(commits === undefined ? [] : [{ name: "a commit", measure: commits }])
      ],
      plan,
      say
    )
    const beyond = values.get("a commit")?.map((of, round) => values.get("ours, alone")![round]! - of)
    const crowded = {
      id: "P4",
      metric: `POST to 2xx, ${inFlight} in flight`,
      unit: "requests/s",
      processorUs: spread(measured(crowds.ours)).median,
      peerProcessorUs: spread(measured(crowds.echo)).median,
      note: "processor time is the server's alone, without the database's"
    }
    const subject = (metric: string) => ({ id: "P4", metric: `${metric} at ${perSecond}/s`, unit })
    return [
      compared(crowded, values.get(`ours, ${inFlight}`)!, "an echo, same router", values.get(`echo, ${inFlight}`)!, {
        atLeast: 0.5
      }),
      ...(beyond === undefined
        ? []
        : [
            bounded(
              { id: "P4", metric: "POST to 2xx alone, p50 beyond a commit's", unit },
              beyond,
              { atMost: 1.5 },
              processor
            )
          ]),
      bounded(subject("POST to 2xx, p50,"), values.get("ours")!, { atMost: 2 }, commit),
      bounded(subject("POST to 2xx, p99,"), measured(late), { atMost: 15 }, commit),
      compared(
        {
          ...subject("POST to 2xx, p50,"),
          processorUs: spread(measured(costs.ours)).median,
          peerProcessorUs: spread(measured(costs.bare)).median,
          note: "processor time is the server's alone, without the database's"
        },
        values.get("ours")!,
        "bare node:http",
        values.get("bare")!,
        null
      )
    ]
  })

export const acknowledgement: Bench = { id: "P4", about: "a command is acknowledged", run: acknowledged }

/** A session that the first node owns, once the second one owns some as well: which has which is told by nothing else. */
const ownedByFirst = async ({ open, system }: World): Promise<string> => {
  const [first] = system.nodes
  const owned = new Map<boolean, string>()
  while (owned.size < 2) {
    const session = await open()
    owned.set(await first!.owns(session), session)
  }
  return owned.get(true)!
}

const recordedAt = /"recorded_at":"([^"]+)"/

/** From when an event was decided, in microseconds of the node's clock, until its frame is here. */
const ageOf = (frame: Buffer): number => {
  const now = performance.timeOrigin + performance.now()
  const time = recordedAt.exec(frame.toString("latin1"))?.[1] ?? ""
  return now - (Date.parse(time) + Number(time.slice(23, 26)) / 1_000)
}

const delivered = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "p5", async (world) => {
    const { origin, system } = world
    const { calibrate, plan, quick, say } = context
    const perSecond = quick ? 20 : 50
    const second = await system.node()
    const session = await ownedByFirst(world)
    await post(origin, `/v1/sessions/${session}`, noted("first"))
    let ages: Array<number> = []
    const late = new Map<string, Array<number>>()
    const side = (name: string, at: string) => ({
      name,
      measure: async (ms: number) => {
        ages = []
        const { close } = await follow(at, `/v1/sessions/${session}/log/stream?after=2147483647`, () => undefined)
        close()
        const { version } = JSON.parse(await (await fetch(`${at}/test/current?session=${session}`)).text()).ok as {
          version: number
        }
        const reader = await follow(at, `/v1/sessions/${session}/log/stream?after=${version}`, (frame) =>
          ages.push(ageOf(frame))
        )
        await paced(perSecond, ms, (n) => post(origin, `/v1/sessions/${session}`, noted(String(n))))
        reader.close()
        const sorted = Float64Array.from(ages).sort()
        late.set(name, [...(late.get(name) ?? []), quantile(sorted, 0.99)])
        return quantile(sorted, 0.5)
      }
    })
    const { commit } = await calibrate()
    const values = await interleave([side("here", origin), side("there", second.gateway)], plan, say)
    const subject = (metric: string) => ({ id: "P5", metric: `decided to SSE, ${metric}`, unit })
    return [
      bounded(subject("p50, same node"), values.get("here")!, { atMost: 3 }, commit),
      bounded(subject("p50, another node"), values.get("there")!, { atMost: 10 }, commit),
      bounded(subject("p99, same node"), measured(late.get("here")!), { atMost: 50 }, commit),
      bounded(subject("p99, another node"), measured(late.get("there")!), { atMost: 50 }, commit)
    ]
  })

export const delivery: Bench = { id: "P5", about: "an event reaches who follows", run: delivered }
