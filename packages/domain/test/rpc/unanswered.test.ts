import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import { unanswered } from "../../src/rpc/unanswered.ts"

const Told = RpcGroup.make(Rpc.make("Tell", { payload: { n: Schema.Int } }))

/** A client over a transport that answers nothing, and what it sent. */
const clientOver = (fails: boolean) =>
  Effect.gen(function* () {
    const sent: Array<FromClientEncoded> = []
    const broken = new RpcClientError({ reason: new RpcClientDefect({ message: "it is gone", cause: null }) })
    const transport = yield* RpcClient.Protocol.make(() =>
      Effect.succeed({
        send: (_, message) => Effect.suspend(() => (sent.push(message), fails ? Effect.fail(broken) : Effect.void)),
        supportsAck: true,
        supportsTransferables: false,
        codecFor: Schema.toCodecJson
      })
    )
    const client = yield* Effect.provideService(RpcClient.make(Told), RpcClient.Protocol, unanswered(transport))
    return { client, sent }
  })

describe("a call whose result is discarded", () => {
  it.effect("is a notification, done once it is written", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOver(false)
      yield* client.Tell({ n: 1 }, { discard: true })
      yield* client.Tell({ n: 2 }, { discard: true })
      const told = sent.map((message) =>
        message._tag === "Request" ? [message.payload, message.isNotification, "discard" in message] : message._tag
      )
      assert.deepStrictEqual(told, [
        [{ n: 1 }, true, false],
        [{ n: 2 }, true, false]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("fails where it can't be written", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOver(true)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(client.Tell({ n: 1 }, { discard: true }))))
    }).pipe(Effect.scoped)
  )
})
