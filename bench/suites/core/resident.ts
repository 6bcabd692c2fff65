import { Contender } from "../../harness/Contender.ts"
import { textOf } from "../../harness/payload.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const unit = "KiB of heap a session"
const stateBytes = 2_048
const idleMs = 20_000

const run = async ({ quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const database = await server.createMigrated("p7_resident")
  const actors = await Contender.start(new URL("./actors.ts", import.meta.url), {
    env: { DATABASE_URL: database.url, IDLE_MS: String(idleMs) },
    execArgv: ["--expose-gc"]
  })
  const count = quick ? 500 : 2_000
  try {
    // The first ones load code and fill pools; they are there before and after.
    const bare = await actors.request<number>("reside", { count: 200, note: "" })
    const note = textOf(Math.max(0, stateBytes - bare))
    const values: Array<number> = []
    let before = await actors.request<number>("heap")
    const begun = before
    for (let round = 0; round < (quick ? 2 : 3); round++) {
      const bytes = await actors.request<number>("reside", { count, note })
      const heap = await actors.request<number>("heap")
      values.push((heap - before) / count / 1_024)
      say(`  ${count} more: ${values.at(-1)!.toFixed(1)} KiB each (state ${bytes} bytes)`)
      before = heap
    }
    // Entities are put away by a reaper that looks seldom.
    const all = count * values.length
    let left = Number.POSITIVE_INFINITY
    for (let waited = 0; waited < 5 * idleMs && left > 0.5; waited += 5_000) {
      await new Promise((resolve) => setTimeout(resolve, 5_000))
      left = ((await actors.request<number>("heap")) - begun) / all / 1_024
    }
    say(`  put away: ${left.toFixed(2)} KiB each`)
    return [
      bounded({ id: "P7", metric: "resident idle session with 2 KB of state", unit }, values, { atMost: 32 }),
      bounded({ id: "P7", metric: "the same, put away", unit }, [Math.max(0, left)], { atMost: 0.5 })
    ]
  } finally {
    await actors.stop()
  }
}

export const resident: Bench = { id: "P7", about: "memory of resident idle sessions", run }
