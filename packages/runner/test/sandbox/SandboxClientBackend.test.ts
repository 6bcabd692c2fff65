import { UnixLocalSandboxClient } from "@openai/agents/sandbox/local"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { sandboxClientBackend } from "../../src/sandbox/client/SandboxClientBackend.ts"
import { makeBench } from "../../src/sandbox/conformance/Bench.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { holdsTo } from "./conformance.ts"
import { sandboxClient } from "./fixtures/docker-client.ts"

const name = "unix-local"

requires("root")("a client of the OpenAI Agents SDK", () => {
  holdsTo({
    backend: sandboxClientBackend({ name, client: new UnixLocalSandboxClient(), isolation: "none" }),
    promises: ["running"]
  })

  it.live("that isolates, and does not lead to the egress proxy, is refused a network", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryState("troupe-sandbox-")
      const client = { backendId: "open", create: () => Promise.reject(new Error("it was asked all the same")) }
      const backend = sandboxClientBackend({
        name,
        client: client as never,
        isolation: "container",
        manifest: () => ({})
      })
      const probe = yield* backend.probe
      const bench = makeBench(backend, probe, join(directory, "state"))
      const network = { _tag: "Proxied", socket: join(directory, "egress.sock") } as const
      const error = yield* Effect.flip(bench.make({ network }))
      assert.strictEqual(error.message, "unix-local: Unusable: nothing keeps its processes to the egress proxy")
      assert.isFalse(probe.network)
    })
  )

  it.live("that can't do what it takes is unusable, and says why", () =>
    Effect.gen(function* () {
      const notes = (client: ConstructorParameters<typeof Object>[0]) =>
        Effect.map(
          sandboxClientBackend({ name, client: client as never, isolation: "none" }).probe,
          ({ notes, usable }) => [usable, ...notes]
        )
      assert.deepStrictEqual(yield* notes({ backendId: "empty" }), [
        false,
        "unix-local: Unusable: this client makes no sandboxes"
      ])
      const closed: Array<string> = []
      const mute = { state: {}, exec: () => {}, close: () => Promise.resolve(closed.push("closed")) }
      assert.deepStrictEqual(yield* notes({ backendId: "mute", create: () => Promise.resolve(mute) }), [
        false,
        "unix-local: Unusable: the sandboxes of this client can't run a command and be asked again"
      ])
      assert.deepStrictEqual(closed, ["closed"])
      const broken = { backendId: "broken", create: () => Promise.reject(new Error("no credit")) }
      assert.deepStrictEqual(yield* notes(broken), [false, "unix-local: Failed: no credit"])
    })
  )
})

requires("docker", "root")("the SDK's own client of Docker", () => {
  const promises = ["running", "isolation"] as const
  holdsTo({
    backend: sandboxClientBackend(sandboxClient),
    promises,
    // How processes run is the same as above; what is this client's own is what it keeps them from.
    held: process.env["TROUPE_FULL"] === "1" ? promises : ["isolation"]
  })
})
