import { UnixLocalSandboxClient } from "@openai/agents/sandbox/local"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { requires } from "../../../../test/requires.ts"
import { sandboxClientBackend } from "../../src/sandbox/client/SandboxClientBackend.ts"
import { holdsTo } from "./conformance.ts"

const name = "unix-local"

requires("root")("a client of the OpenAI Agents SDK", () => {
  holdsTo({
    backend: sandboxClientBackend({ name, client: new UnixLocalSandboxClient(), isolation: "none" }),
    promises: ["running"]
  })

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
