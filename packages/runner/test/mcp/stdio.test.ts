import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { requires } from "../../../../test/requires.ts"
import { McpSessions } from "../../src/mcp/McpSessions.ts"
import { newSessionId } from "../../src/sandbox/trial.ts"
import { openTurn, processesWith, sandboxWithNode, sessions, slow, stdio } from "./world.ts"

const turnWith = Effect.fnUntraced(function* (how: string) {
  const { place } = yield* sandboxWithNode
  const world = yield* Layer.build(sessions())
  const sessionId = newSessionId()
  const servers = [stdio("s", "/opt/fixtures/stdio-main.ts", [how])]
  const turn = openTurn({ sessionId, place, servers }).pipe(Effect.provide(world))
  const drop = Effect.flatMap(McpSessions, (mcp) => mcp.drop(sessionId)).pipe(Effect.provide(world))
  return { ...(yield* turn), turn, drop }
})

requires(
  "bubblewrap",
  "root",
  "open-checkout"
)("A server's process in the sandbox", () => {
  it.live(
    "that says other things between its messages is understood",
    () =>
      Effect.gen(function* () {
        const { call, told } = yield* turnWith("chats")
        assert.deepStrictEqual(told, [])
        assert.match((yield* call("mcp__s__work")).text, /^pid /)
      }),
    slow
  )

  it.live(
    "that ends at the question for the newest protocol is started again, and spoken to in the older one",
    () =>
      Effect.gen(function* () {
        const { call } = yield* turnWith("older")
        assert.match((yield* call("mcp__s__work")).text, /^pid /)
      }),
    slow
  )

  it.live(
    "that does not start is told of in its own words",
    () =>
      Effect.gen(function* () {
        const { names, told } = yield* turnWith("exits")
        assert.deepStrictEqual(names, [])
        assert.strictEqual(told[0]!.code, "mcp_connection_failed")
        assert.match(told[0]!.message, /no key is set/)
        const { place } = yield* sandboxWithNode
        const missing = yield* openTurn({
          place,
          servers: [{ type: "stdio", name: "s", command: "/no/such/program" }]
        }).pipe(Effect.provide(sessions()))
        assert.strictEqual(missing.told.length, 1)
      }),
    slow
  )

  it.live(
    "that writes without end is ended",
    () =>
      Effect.gen(function* () {
        const { names, told } = yield* turnWith("floods")
        assert.deepStrictEqual(names, [])
        assert.strictEqual(told.length, 1)
      }),
    slow
  )

  it.live(
    "that dies in a call leaves it in doubt",
    () =>
      Effect.gen(function* () {
        const { call } = yield* turnWith("dies")
        const result = yield* call("mcp__s__work")
        assert.strictEqual(result.outcome, "failed")
        assert.match(result.text, /is not known\. Check before you repeat it/)
      }),
    slow
  )

  it.live(
    "is gone with the session's connections",
    () =>
      Effect.gen(function* () {
        const token = randomUUID()
        const { call, drop, turn } = yield* turnWith(token)
        assert.match((yield* call("mcp__s__work")).text, /^pid /)
        assert.isNotEmpty(processesWith(token))
        yield* drop
        assert.isEmpty(processesWith(token))
        assert.match((yield* (yield* turn).call("mcp__s__work")).text, /^pid /)
        assert.isNotEmpty(processesWith(token))
      }),
    slow
  )
})
