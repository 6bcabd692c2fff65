import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { createHash } from "node:crypto"

/**
 * What nodes have in common, from the database: whoever may read it is one of them. Each purpose gets a key of its own,
 * so that what may turn up in a log of requests is neither what the database holds nor any other key.
 */
export const derive = Effect.fnUntraced(function* (purpose: "cluster" | "relay" | "ticket") {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ secret: string }>`SELECT secret FROM cluster_secret`
  if (row === undefined) return yield* Effect.die(new Error("The database has no cluster secret: run the migrations"))
  return createHash("sha256").update(`troupe.${purpose}.1 ${row.secret}`).digest("hex")
})
