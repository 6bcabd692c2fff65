import { manySessions } from "../../../test/support/manySessions.ts"
import { bounded, compared, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { quantile } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { get } from "./http.ts"
import { noteAll, withWorld } from "./world.ts"

/** The time that all but one in twenty stay below, asked one after the other. */
const p95 = (once: () => Promise<unknown>) => async (ms: number) => {
  const took: Array<number> = []
  for (const end = performance.now() + ms; performance.now() < end || took.length < 5;) {
    const begun = performance.now()
    await once()
    took.push(performance.now() - begun)
  }
  return quantile(
    took.toSorted((a, b) => a - b),
    0.95
  )
}

/** Asks for one page after the other, and begins anew after the last. */
const pagesOf = (origin: string, path: string) => {
  let next: string | null = null
  return async () => {
    const body = await get(origin, next === null ? path : `${path}&page=${next}`)
    next = (JSON.parse(body) as { readonly next_page: string | null }).next_page
  }
}

const run = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "lists", async ({ bare, bareOrigin, database, open, origin }) => {
    const { calibrate, plan, quick, say } = context
    const count = quick ? 20_000 : 100_000
    const session = await open()
    await manySessions(database.query, { count, like: session })
    for (let n = 0; n < 20; n++) await noteAll(origin, `/v1/sessions/${session}`, 50, String(n))
    const [list, log] = ["/v1/sessions?limit=100", `/v1/sessions/${session}/log?limit=1000`]
    const page = { list: await get(origin, list), log: await get(origin, log) }
    const same = (of: string) => async () => {
      await bare.request("show", { page: of })
      return p95(() => get(bareOrigin, "/"))
    }
    const bareOf = (name: string, of: string) => ({ name, measure: async (ms: number) => (await same(of)())(ms) })
    const { processor } = await calibrate()
    const values = await interleave(
      [
        { name: "list", measure: p95(pagesOf(origin, list)) },
        bareOf("bare list", page.list),
        { name: "running", measure: p95(() => get(origin, `${list}&statuses[]=running`)) },
        { name: "log", measure: p95(() => get(origin, log)) },
        bareOf("bare log", page.log)
      ],
      plan,
      say
    )
    const stored = count.toLocaleString("en-US")
    const subject = (metric: string) => ({ id: "G-LIST", metric: `${metric}, p95`, unit: "ms" })
    const whole = subject(`a page of 100 of ${stored} sessions`)
    const pageOfLog = subject("a page of 1,000 events of a log")
    return [
      bounded(whole, values.get("list")!, { atMost: 30 }, processor),
      compared(whole, values.get("list")!, "bare node:http, the same bytes", values.get("bare list")!, null),
      bounded(subject("a page of 100 of those that run"), values.get("running")!, { atMost: 30 }, processor),
      bounded(pageOfLog, values.get("log")!, { atMost: 50 }, processor),
      compared(pageOfLog, values.get("log")!, "bare node:http, the same bytes", values.get("bare log")!, null)
    ]
  })

export const lists: Bench = { id: "G-LIST", about: "lists of many sessions, and logs", run }
