// Not TypeScript, since its dependencies are only there once a benchmark has asked for them.
import { DurableStreamTestServer, FileBackedStreamStore } from "@durable-streams/server"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "../harness/serve.ts"

const dataDir = mkdtempSync(join(tmpdir(), "troupe-bench-streams-"))
const server = new DurableStreamTestServer({ port: 0, host: "127.0.0.1" })
// On disk, as ours is in a database: each append is synced. By itself it holds a hundred files open, and answers an append
// with 404 when its file was closed for another's before it was synced.
server.store = new FileBackedStreamStore({ dataDir, maxFileHandles: 2_000 })

// It says of each append on a disk at work that it is slow, to whoever reads the results.
console.info = () => undefined
console.log = () => undefined

serve({ listen: () => server.start() }, async () => {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
})
