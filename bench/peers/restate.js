// Not TypeScript, since its dependencies are only there once a benchmark has asked for them.
import * as restate from "@restatedev/restate-sdk"
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { once } from "node:events"
import { rm } from "node:fs/promises"
import { mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { closedLoop } from "../harness/closedLoop.ts"
import { payloadOf } from "../harness/payload.ts"
import { serve } from "../harness/serve.ts"

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  server.close()
  await once(server, "close")
  return port
}

const steps = restate.service({
  name: "steps",
  handlers: {
    run: async (context, { payload, steps: count }) => {
      for (let step = 0; step < count; step++) await context.run(`step${step}`, () => payload)
      return count
    }
  }
})

const [service, ingress, admin, fabric] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
await restate.endpoint().bind(steps).listen(service)

const packages = createRequire(import.meta.url)
const program = join(
  dirname(packages.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/package.json`)),
  "bin/restate-server"
)
const home = mkdtempSync(join(tmpdir(), "troupe-bench-restate-"))
const server = spawn(program, ["--base-dir", home], {
  env: {
    PATH: process.env.PATH ?? "",
    HOME: home,
    DO_NOT_TRACK: "1",
    RESTATE_DISABLE_TELEMETRY: "true",
    RESTATE_BIND_ADDRESS: `127.0.0.1:${fabric}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${fabric}`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_LOG_FILTER: "error"
  },
  stdio: ["ignore", "ignore", "inherit"]
})
process.once("exit", () => server.kill("SIGKILL"))

const post = async (url, body) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${answer}`)
  return answer
}

const registered = async () => {
  for (let tries = 0; ; tries++) {
    try {
      return await post(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${service}`, force: true })
    } catch (error) {
      if (tries >= 300) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
await registered()

serve(
  {
    handlers: ({ inFlight, ms, steps: count }) =>
      closedLoop(inFlight, ms, (slot, turn) =>
        post(`http://127.0.0.1:${ingress}/steps/run`, { payload: payloadOf(`${slot}-${turn}`), steps: count })
      )
  },
  async () => {
    const gone = once(server, "exit")
    server.kill("SIGTERM")
    await gone
    await rm(home, { recursive: true, force: true })
  }
)
