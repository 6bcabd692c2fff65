import { System } from "../../../e2e/support/System.ts"
import { Contender } from "../../harness/Contender.ts"
import type { Database } from "../../harness/Database.ts"
import { collecting } from "../../harness/Memory.ts"
import { textOf } from "../../harness/payload.ts"
import type { Context } from "../../harness/Suite.ts"
import { make, post } from "./http.ts"

export interface World {
  readonly database: Database
  readonly system: System
  /** Where a node of ours answers, and its process. */
  readonly origin: string
  readonly pid: number
  /** The bare server beside it. */
  readonly bare: Contender
  readonly bareOrigin: string
  readonly open: () => Promise<string>
}

/** A node in a process of its own on a database of its own, and a bare HTTP server beside it. */
export const withWorld = async <A>(
  { server }: Context,
  name: string,
  use: (world: World) => Promise<A>
): Promise<A> => {
  const database = await server.createMigrated(name)
  const system = System.on(database.url)
  const bare = await Contender.start(new URL("./bare.ts", import.meta.url), { execArgv: collecting })
  try {
    const node = await system.node({ NODE_OPTIONS: collecting.join(" ") })
    const origin = node.gateway
    const port = await bare.request<number>("listen")
    const tools = [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "always_allow" } } }]
    const agent = (await make(origin, "/v1/agents", { name: "bench", model: "demo", tools })).id as string
    const open = async () => (await make(origin, "/v1/sessions", { agent })).id as string
    return await use({ database, system, origin, pid: node.pid, bare, bareOrigin: `http://127.0.0.1:${port}`, open })
  } finally {
    await bare.stop()
    await system.end()
  }
}

/** A change of a session's metadata: one event of about 420 bytes, which begins no turn. */
export const noted = (mark: string): string => JSON.stringify({ metadata: { note: `${mark} ${textOf(300)}` } })

/** Sends so many of them at once. */
export const noteAll = (origin: string, path: string, events: number, mark = ""): Promise<unknown> =>
  Promise.all(Array.from({ length: events }, (_, n) => post(origin, path, noted(`${mark} ${n}`))))

/** So many operations a second for a while, each begun in its time whether the earlier ones are done or not. */
export const paced = async (perSecond: number, ms: number, operation: (n: number) => Promise<unknown>) => {
  const latencies: Array<number> = []
  const under: Array<Promise<void>> = []
  const begun = performance.now()
  for (let n = 0; (n * 1_000) / perSecond < ms; n++) {
    const due = begun + (n * 1_000) / perSecond
    const early = due - performance.now()
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
    under.push(operation(n).then(() => void latencies.push(performance.now() - due)))
  }
  await Promise.all(under)
  return Float64Array.from(latencies).sort()
}
