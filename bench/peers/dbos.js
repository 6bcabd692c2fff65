// Not TypeScript, since its dependencies are only there once a benchmark has asked for them.
import { DBOS } from "@dbos-inc/dbos-sdk"
import { closedLoop } from "../harness/closedLoop.ts"
import { payloadOf } from "../harness/payload.ts"
import { serve } from "../harness/serve.ts"

DBOS.setConfig({
  name: "troupe-bench",
  systemDatabaseUrl: process.env.DATABASE_URL,
  systemDatabasePoolSize: 20,
  runAdminServer: false,
  logLevel: "error"
})

const workflow = DBOS.registerWorkflow(
  async (payload, steps) => {
    for (let step = 0; step < steps; step++) await DBOS.runStep(async () => payload, { name: `step${step}` })
    return steps
  },
  { name: "steps" }
)
await DBOS.launch()

serve(
  {
    workflows: ({ inFlight, ms, steps }) =>
      closedLoop(inFlight, ms, (slot, turn) => workflow(payloadOf(`${slot}-${turn}`), steps))
  },
  () => DBOS.shutdown()
)
