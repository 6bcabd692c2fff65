// A whole runner with a harness that follows the name of its agent, as a process that tests may kill and freeze.
import { Effect, Layer, Redacted } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { randomUUID } from "node:crypto"
import type { HarnessRun } from "../../src/harness/Harness.ts"
import * as Connection from "../../src/link/Connection.ts"
import { OwnServices } from "../../src/egress/OwnServices.ts"
import { Admission } from "../../src/link/Admission.ts"
import { Capabilities } from "../../src/link/Capabilities.ts"
import { Identity } from "../../src/link/Identity.ts"
import { StateLock } from "../../src/link/StateLock.ts"
import * as NoWorkplace from "../../src/workplace/NoWorkplace.ts"
import { attemptsLayer } from "./attemptWorld.ts"
import { join } from "node:path"
import { completed, title, toolStarted, toolFinished } from "./requests.ts"

const [state, server, token, silentMs] = process.argv.slice(2) as [string, string, string, string]

/** `frames 100 20`: so many titles of so many characters. `tool 50`: a call that takes so long, behind the gate. */
const run = Effect.fnUntraced(function* ({ frames, request }: HarnessRun) {
  const [what, count, size] = request.agent.name.split(" ") as [string, string, string]
  if (what === "frames") {
    for (let n = 1; n <= Number(count); n++) yield* frames.emit(title(String(n).padEnd(Number(size), "x")))
  }
  if (what === "together") {
    const emit = (n: number) => frames.emit(title(String(n).padEnd(Number(size), "x")))
    yield* Effect.forEach(Array(Number(count)).keys(), emit, { concurrency: 256, discard: true })
  }
  if (what === "tool") {
    yield* frames.committed(yield* frames.emit(toolStarted(1)))
    yield* Effect.sleep(Number(count))
    yield* frames.emit(toolFinished(1))
  }
  if (what === "never") return yield* Effect.never
  return completed as Extract<typeof completed, { _tag: "Completed" }>
})

const nothing = { harnesses: [], sandboxes: [], defaultSandbox: null, models: [] }

const noModel = { usable: false, notes: [], models: [] }

const services = attemptsLayer({ directory: join(state, "journal"), run }).pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      Admission.layer,
      NoWorkplace.layer,
      OwnServices.layer(),
      Layer.succeed(Capabilities, {
        probe: Effect.succeed(nothing),
        probeCard: () => Effect.succeed(noModel),
        probeMcpServer: () => Effect.succeed({ outcome: "failed", detail: "there is none" })
      })
    )
  ),
  Layer.provideMerge(
    Identity.layer({
      servers: [server],
      token: token === "-" ? null : Redacted.make(token),
      name: "test",
      labels: ["a"]
    })
  ),
  Layer.provideMerge(StateLock.layer(state, "test")),
  Layer.provide(FetchHttpClient.layer)
)

const self = {
  release: "test",
  bootId: randomUUID(),
  name: "test",
  labels: ["a"],
  capacity: { attempts: 10, sessions: 10 }
}

const connect = Connection.run({ servers: [server], self, timing: { silentMs: Number(silentMs) }, stableMs: 500 })

const exit = await Effect.runPromiseExit(Effect.provide(connect, services))
process.exit(exit._tag === "Success" ? 0 : 7)
