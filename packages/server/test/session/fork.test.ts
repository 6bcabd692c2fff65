import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Effect, Layer } from "effect"
import { hash } from "node:crypto"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../src/log/EventStoreMemory.ts"
import { Minting } from "../../src/log/Minting.ts"
import { Feeds } from "../../src/session/Feeds.ts"
import { forkPoint } from "../../src/session/fork.ts"
import * as SessionActor from "../../src/session/SessionActor.ts"
import { commandOf, openCommand } from "../support/CommandGenerator.ts"
import { mintId, prng, type Prng } from "../../../../test/support/Prng.ts"

const services = Layer.mergeAll(EventStoreMemory.layer, Minting.layer, Feeds.layer)
const sha256 = (value: string) => hash("sha256", value, "hex")

const session = Effect.fnUntraced(function* (random: Prng, part: object) {
  const sessionId = mintId(random, "Session") as SessionId
  const options = { sessionId, shard: 1, sha256, react: () => undefined, stop: () => undefined }
  const actor = yield* SessionActor.make(options)
  const send = (body: SessionCommand) => actor.handle(commandOf(random, 0, body))
  yield* send({ ...openCommand(random, sessionId), inputs: [], budget: [], ...part } as SessionCommand)
  return { sessionId, send, current: actor.current }
})

const say = (random: Prng, words: string) =>
  ({
    _tag: "Send",
    inputs: [
      {
        _tag: "Message",
        inputId: mintId(random, "Event"),
        turnId: mintId(random, "Turn"),
        threadId: null,
        content: text(words),
        mode: "queue",
        overrides: {},
        needsApproval: false
      }
    ]
  }) as never as SessionCommand

describe("a fork", () => {
  it.effect("begins with its own copy of the conversation, and its parent knows of it", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const random = prng(3)
      const parent = yield* session(random, {})
      const { version } = yield* parent.send(say(random, "first"))
      yield* parent.send(say(random, "after the fork"))

      const { history, origin } = yield* forkPoint(store, parent.sessionId, version)
      const childId = mintId(random, "Session") as SessionId
      yield* parent.send({ _tag: "NoteFork", childId, seq: version })
      const child = yield* session(random, { origin, history })

      const [at] = yield* store.read(parent.sessionId, { after: version - 1, limit: 1 })
      assert.deepStrictEqual(origin, { type: "fork", sessionId: parent.sessionId, seq: version, chain: at!.chain })
      const events = yield* store.read(child.sessionId, { after: 0, limit: 10 })
      const copied = events.find((event) => event.type === "HistoryCopied")!.payload!
      assert.include(copied, "first")
      assert.notInclude(copied, "after the fork")

      // What is taken out of the parent must be taken out of the fork too, so the request says where.
      yield* parent.send({ _tag: "RequestRedaction", seqs: [2], reason: "asked", replacements: ["0".repeat(64)] })
      const log = yield* store.read(parent.sessionId, { after: 0, limit: 100 })
      const request = log.find((event) => event.type === "RedactionRequested")!.payload!
      assert.deepStrictEqual((JSON.parse(request) as { readonly forks: unknown }).forks, [childId])
    }).pipe(Effect.provide(services))
  )

  it.effect("begins at an event that exists", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const parent = yield* session(prng(4), {})
      for (const seq of [0, -1, 99]) {
        const refused = yield* Effect.flip(forkPoint(store, parent.sessionId, seq))
        assert.deepInclude(refused, { _tag: "NoForkPoint", seq })
      }
    }).pipe(Effect.provide(services))
  )
})
