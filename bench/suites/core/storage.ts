import { payloadBytes } from "../../harness/payload.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { ours } from "./contenders.ts"

/** All that sessions write. Blobs are content that is not in events. */
const sizes = `SELECT relname AS name, pg_total_relation_size(oid)::float8 AS bytes FROM pg_class
  WHERE relname IN ('heads', 'events', 'rejections', 'snapshots', 'sessions')`

const run = async ({ quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const database = await server.createMigrated("p15_storage")
  const store = await ours("store", database)
  const events = quick ? 100_000 : 1_000_000
  try {
    await store.request("fill", { events, inFlight: 64, sessions: events / 1_000 })
  } finally {
    await store.stop()
  }
  await database.query("VACUUM (ANALYZE)")
  const tables = await database.query<{ name: string; bytes: number }>(sizes)
  for (const { bytes, name } of tables) say(`  ${name}: ${(bytes / events).toFixed(1)} bytes an event`)
  const each = tables.reduce((sum, { bytes }) => sum + bytes, 0) / events
  const metric = `bytes an event after ${events.toLocaleString("en-US")}, every one with a receipt`
  return [bounded({ id: "P15", metric, unit: "bytes" }, [each], { atMost: 1.8 * payloadBytes + 450 })]
}

export const storage: Bench = { id: "P15", about: "bytes in Postgres", run }
